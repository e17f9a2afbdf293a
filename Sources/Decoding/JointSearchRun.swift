import Foundation

/// One run of a joint search over one utterance, with one least length.
struct JointSearchRun<Attention: AttentionScorer> {
  /// A text that has not ended.
  private struct Running {
    var tokens: [Int]
    var state: Attention.State
    var attentionScore: Double
    /// Without γ if λ = 0.
    var prefix: CTCPrefix
    var bias: BiasTrail
    var total: Double
  }

  /// A text that may come out of a running one by one more token or eos.
  private struct Candidate {
    var source: Int
    var token: Int
    var attention: Double
    var total: Double
  }

  private let attention: Attention
  private let ctc: CTCPrefixScorer
  private let options: JointSearchOptions
  private let biases: [WeightedBias]
  private let minLength: Int
  private let maxLength: Int
  /// Tokens that CTC hears somewhere, to be scored whatever the decoder proposes.
  private let heard: [Int]
  private var running: [Running]
  private var endDetector = EndDetector()
  private(set) var finished: [JointHypothesis] = []
  private(set) var passes = 0
  /// Tokens of each running text.
  private var length = 0

  init(
    _ attention: Attention, _ ctc: CTCPrefixScorer, _ options: JointSearchOptions,
    _ biases: [WeightedBias], minLength: Int
  ) {
    self.attention = attention
    self.ctc = ctc
    self.options = options
    self.biases = biases
    self.minLength = minLength
    maxLength = options.maxLength(ctc.frames)
    heard = options.ctcProposals.map { ctc.tokens(atLeast: $0) } ?? []
    running = [
      Running(
        tokens: [], state: attention.initialState(), attentionScore: 0, prefix: ctc.empty,
        bias: BiasTrail(biases), total: 0)
    ]
  }

  private var usesAttention: Bool { options.ctcWeight < 1 }
  private var usesCTC: Bool { options.ctcWeight > 0 }

  /// Extends every running text by a token or ends it.
  ///
  /// - Returns: false when the search is over.
  mutating func step() -> Bool {
    let logProbs = stepAttention()
    var candidates = running.indices.flatMap { source in
      let row = source * attention.vocabulary
      return self.candidates(
        source, usesAttention ? logProbs[row..<row + attention.vocabulary] : [])
    }
    candidates.sort { $0.total > $1.total }
    // What is longest ends, whatever its rank.
    if length < maxLength { candidates.removeSubrange(min(options.beamSize, candidates.count)...) }
    let sources = running
    running.removeAll()
    for candidate in candidates {
      if candidate.token == attention.eos {
        finish(sources[candidate.source], candidate)
      } else {
        running.append(extend(sources[candidate.source], candidate))
      }
    }
    defer { length += 1 }
    return !running.isEmpty && !isSettled
      && !(options.maxLengthRatio == 0 && endDetector.isEnd(step: length))
  }

  /// Runs the decoder over the last tokens. [running, vocabulary]; empty if λ leaves it out.
  private mutating func stepAttention() -> [Float] {
    guard usesAttention else { return [] }
    passes += 1
    let step = attention.step(
      running.map(\.state), tokens: running.map { $0.tokens.last ?? attention.sos })
    for index in running.indices { running[index].state = step.states[index] }
    return step.logProbs
  }

  private func candidates(_ source: Int, _ logProbs: ArraySlice<Float>) -> [Candidate] {
    let hypothesis = running[source]
    let isLast = length >= maxLength
    let tokens = isLast ? [] : proposals(logProbs)
    let scores =
      usesCTC
      ? ctc.scores(of: tokens, after: hypothesis.prefix)
      : [Double](repeating: 0, count: tokens.count)
    var candidates: [Candidate] = []
    candidates.reserveCapacity(tokens.count + 1)
    for (token, score) in zip(tokens, scores) where score > CTCPrefixScorer.impossible {
      let bias = hypothesis.bias.weighted(after: token, biases) - hypothesis.bias.weighted
      candidates.append(candidate(source, token, logProbs, ctcScore: score, bias: bias))
    }
    let endScore = usesCTC ? ctc.endScore(hypothesis.prefix) : 0
    if isLast || length >= minLength && endScore > CTCPrefixScorer.impossible {
      var bias = hypothesis.bias
      bias.finish(biases)
      candidates.append(
        candidate(
          source, attention.eos, logProbs, ctcScore: endScore,
          bias: bias.weighted - hypothesis.bias.weighted))
    }
    return candidates
  }

  /// The tokens to score: all, or those of the pre-beam.
  private func proposals(_ logProbs: ArraySlice<Float>) -> [Int] {
    let vocabulary = usesAttention ? attention.vocabulary : ctc.vocabulary
    func isToken(_ id: Int) -> Bool {
      id != attention.eos && id != attention.sos && id != ctc.blank
    }
    guard usesAttention, options.preBeamRatio > 0 else {
      return (0..<vocabulary).filter(isToken)
    }
    let count = max(1, Int(options.preBeamRatio * Double(options.beamSize)))
    var top = TopTokens()
    // Up to three of the best may be no tokens.
    logProbs.withUnsafeBufferPointer { top.select($0, count: count + 3) }
    let best = Array(top.ids.filter(isToken).prefix(count))
    guard !heard.isEmpty else { return best }
    return heard.filter(isToken) + Set(best).subtracting(heard).sorted()
  }

  private func candidate(
    _ source: Int, _ token: Int, _ logProbs: ArraySlice<Float>, ctcScore: Double, bias: Double
  ) -> Candidate {
    let hypothesis = running[source]
    let attention = usesAttention ? Double(logProbs[logProbs.startIndex + token]) : 0
    var total = hypothesis.total + (1 - options.ctcWeight) * attention + bias
    if usesCTC { total += options.ctcWeight * (ctcScore - ctc.score(hypothesis.prefix)) }
    return Candidate(
      source: source, token: token, attention: attention, total: total + options.lengthBonus)
  }

  private func extend(_ source: Running, _ candidate: Candidate) -> Running {
    var next = source
    next.tokens.append(candidate.token)
    next.attentionScore += candidate.attention
    if usesCTC { next.prefix = ctc.extend(source.prefix, by: candidate.token) }
    next.bias.advance(candidate.token, biases)
    next.total = candidate.total
    return next
  }

  private mutating func finish(_ source: Running, _ candidate: Candidate) {
    var bias = source.bias
    bias.finish(biases)
    finished.append(
      JointHypothesis(
        tokens: source.tokens, attentionScore: source.attentionScore + candidate.attention,
        ctcScore: usesCTC ? ctc.endScore(source.prefix) : 0, biasScores: bias.scores,
        total: candidate.total))
    endDetector.add(length: source.tokens.count, score: candidate.total)
  }

  /// Whether no running text can come among the best any more. Without bonuses a score only falls.
  private var isSettled: Bool {
    guard options.lengthBonus <= 0, biases.isEmpty, finished.count >= options.nBest else {
      return false
    }
    let worst = finished.map(\.total).sorted(by: >)[options.nBest - 1]
    return running.allSatisfy { $0.total <= worst }
  }
}
