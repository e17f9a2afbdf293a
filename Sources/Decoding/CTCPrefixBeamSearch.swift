import Foundation

/// CTC prefix beam search (§4.2 of the specification), frame by frame.
///
/// Paths that spell the same tokens are summed, so a hypothesis' score is ln P(tokens | audio), but
/// for what pruning has lost. All state is in this value: frames may come in any portions, and a
/// copy can look ahead at tentative frames and be thrown away.
///
/// A frame costs O(V) to choose its K tokens and O(N·K) for N prefixes: prefixes are nodes of a
/// trie, so none is ever hashed, compared or copied as a whole.
public struct CTCPrefixBeamSearch: Sendable {
  public let options: CTCPrefixBeamOptions
  private let blank: Int
  private let blankSkipLogProb: Float
  let biases: [WeightedBias]
  /// Index of the next frame in the stream.
  public private(set) var frameCount: Int
  var trie = PrefixTrie()
  /// Of each node of the trie; empty without biases.
  var trails: [BiasTrail] = []
  /// The beam, best first.
  var beam: [BeamEntry] = [.empty]
  var cells = AlignmentCells()
  /// Place on the beam of each node of the trie, −1 for none.
  private var places = [0]
  /// Sizes at which what no hypothesis needs any more is dropped.
  private var crowdedNodes = 4096
  private var crowdedCells = 4096

  // Of the frame at hand; kept for their memory.
  private var top = TopTokens()
  private var candidates: [Candidate] = []
  private var ranking: [(score: Double, candidate: Int)] = []

  /// A prefix that may come to be on the beam; its node is −1 while it is not in the trie.
  private struct Candidate: Sendable {
    var entry: BeamEntry
    var parent: Int
    var token: Int
  }

  /// - Parameters:
  ///   - biases: their states are kept per prefix; those of weight 0 are dropped.
  ///   - firstFrame: index in the stream of the first frame, for the times of tokens.
  public init(
    blank: Int, options: CTCPrefixBeamOptions = .init(), biases: [WeightedBias] = [],
    firstFrame: Int = 0
  ) {
    precondition(options.beamSize >= 1 && options.tokensPerFrame >= 1)
    self.blank = blank
    self.options = options
    self.biases = biases.filter { $0.weight != 0 }
    blankSkipLogProb = options.blankSkip.map { log($0) } ?? .infinity
    frameCount = firstFrame
    if !self.biases.isEmpty { trails = [BiasTrail(self.biases)] }
  }

  /// Begins a new utterance with the next frame.
  public mutating func reset() {
    self = CTCPrefixBeamSearch(
      blank: blank, options: options, biases: biases, firstFrame: frameCount)
  }

  /// Takes frames. [frames, vocabulary]
  public mutating func advance(_ logProbs: LogProbs) {
    for frame in 0..<logProbs.frames { advance(logProbs[frame]) }
  }

  /// Takes one frame of log-probabilities. [vocabulary]
  public mutating func advance(_ logProbs: UnsafeBufferPointer<Float>) {
    defer { frameCount += 1 }
    if logProbs[blank] > blankSkipLogProb {
      for place in beam.indices {
        beam[place] = beam[place].staying(
          blank: logProbs[blank], repeated: nil, frame: frameCount)
      }
      return
    }
    top.select(
      logProbs, count: options.tokensPerFrame, threshold: options.minTokenLogProb)
    proposeCandidates(logProbs)
    keepBest()
    if trie.count > crowdedNodes || cells.count > crowdedCells { compact() }
  }

  /// The candidates of a frame: at first those on the beam, in their order, then new ones.
  private mutating func proposeCandidates(_ logProbs: UnsafeBufferPointer<Float>) {
    candidates.removeAll(keepingCapacity: true)
    for place in beam.indices {
      cells.store(&beam[place].blankAlignment)
      cells.store(&beam[place].nonBlankAlignment)
      let last = trie.token(beam[place].node)
      candidates.append(
        Candidate(
          entry: beam[place].staying(
            blank: logProbs[blank], repeated: last < 0 ? nil : logProbs[last],
            frame: frameCount),
          parent: -1, token: last))
    }
    for place in beam.indices {
      let score = beam[place].score
      let last = trie.token(beam[place].node)
      for token in top.ids where token != blank {
        // Without a blank between, a repeated label is one token.
        let from = token == last ? beam[place].blank : score
        guard from > -.infinity else { continue }
        propose(token, at: place, from: from, afterBlank: token == last, logProbs[token])
      }
    }
  }

  private mutating func propose(
    _ token: Int, at place: Int, from: Double, afterBlank: Bool, _ logProb: Float
  ) {
    let prefix = beam[place]
    let viaBlank = afterBlank || prefix.viterbiBlank > prefix.viterbiNonBlank
    let paths = BeamExtension(
      score: from + Double(logProb),
      viterbi: (viaBlank ? prefix.viterbiBlank : prefix.viterbiNonBlank) + Double(logProb),
      alignment: (viaBlank ? prefix.blankAlignment : prefix.nonBlankAlignment).extended(
        frame: frameCount, logProb: logProb))
    let node = trie.child(prefix.node, token)
    if let node, places[node] >= 0 {
      candidates[places[node]].entry.add(paths)
      return
    }
    var entry = BeamEntry(
      node: node ?? -1, blank: -.infinity, nonBlank: -.infinity, viterbiBlank: -.infinity,
      viterbiNonBlank: -.infinity)
    entry.add(paths)
    candidates.append(Candidate(entry: entry, parent: prefix.node, token: token))
  }

  /// Puts the best candidates on the beam. A frame that leaves none possible changes nothing.
  private mutating func keepBest() {
    ranking.removeAll(keepingCapacity: true)
    for (index, candidate) in candidates.enumerated() {
      let score = candidate.entry.score + bias(candidate)
      if score > -.infinity { ranking.append((score, index)) }
    }
    guard !ranking.isEmpty else { return }
    ranking.sort { ($0.score, $1.candidate) > ($1.score, $0.candidate) }
    let lowest = ranking[0].score - options.beamThreshold
    for entry in beam { places[entry.node] = -1 }
    beam.removeAll(keepingCapacity: true)
    for (score, index) in ranking.prefix(options.beamSize) where score >= lowest {
      var entry = candidates[index].entry
      if entry.node < 0 { entry.node = addNode(candidates[index]) }
      places[entry.node] = beam.count
      beam.append(entry)
    }
  }

  private func bias(_ candidate: Candidate) -> Double {
    guard !biases.isEmpty else { return 0 }
    return candidate.entry.node >= 0
      ? trails[candidate.entry.node].weighted
      : trails[candidate.parent].weighted(after: candidate.token, biases)
  }

  private mutating func addNode(_ candidate: Candidate) -> Int {
    places.append(-1)
    if !biases.isEmpty {
      var trail = trails[candidate.parent]
      trail.advance(candidate.token, biases)
      trails.append(trail)
    }
    return trie.add(candidate.parent, candidate.token)
  }

  /// Drops prefixes and alignments that led nowhere, so that memory is bounded by the length of the
  /// hypotheses and not by that of the audio.
  private mutating func compact() {
    let nodes = trie.compact(keeping: beam.map(\.node))
    let alignments = cells.compact(
      keeping: beam.lazy.flatMap { [$0.blankAlignment, $0.nonBlankAlignment] })
    places = [Int](repeating: -1, count: trie.count)
    if !trails.isEmpty {
      for (old, new) in nodes.enumerated() where new >= 0 { trails[new] = trails[old] }
      trails.removeSubrange(trie.count...)
    }
    for place in beam.indices {
      beam[place].node = nodes[beam[place].node]
      beam[place].blankAlignment.renumber(alignments)
      beam[place].nonBlankAlignment.renumber(alignments)
      places[beam[place].node] = place
    }
    crowdedNodes = max(4096, trie.count * 2)
    crowdedCells = max(4096, cells.count * 2)
  }
}
