import Conformer
import Decoding
import Tensor

/// A text that an utterance may have, with the times of its tokens.
struct SettledText {
  var tokens: [DecodedToken]
  /// nil after greedy and draft search, which weigh nothing.
  var scores: HypothesisScores?
}

/// Settles the text of utterances that have ended.
struct FinalDecoder {
  private let model: RecognizerModel
  private let options: DecodingOptions
  private let rescorer: Rescorer
  private let joint: JointSearch
  private let run: DecoderRun
  /// Frames after the utterance that are given along, where they are known, as context of its last
  /// words.
  private static let beyond = 32
  private static let jointBeam = 8
  /// Tokens more probable than one in a thousand in some frame are always scored, in nats.
  private static let jointProposals: Float = -6.9

  init(_ model: RecognizerModel, _ options: DecodingOptions) {
    self.model = model
    self.options = options
    let weights = options.weights ?? model.decodingWeights
    run = model.decoderRun(auxiliaryWeights: weights.auxiliaryWeights)
    let hasRight = model.networks.decoder?.right != nil
    rescorer = Rescorer(
      RescoringOptions(
        attentionWeight: weights.attentionWeight,
        reverseWeight: hasRight ? weights.reverseWeight : 0, ctcWeight: 1,
        languageWeight: options.rescoringLanguageModel == nil ? 0 : options.rescoringLanguageWeight,
        lengthBonus: weights.lengthBonus ?? 0))
    joint = JointSearch(
      JointSearchOptions(
        beamSize: max(Self.jointBeam, options.nBest), ctcWeight: weights.jointCTCWeight,
        lengthBonus: weights.jointLengthBonus, ctcProposals: Self.jointProposals,
        nBest: max(1, options.nBest)),
      biases: options.biases)
  }

  /// Whether utterances' frames must be kept for this.
  var needsFrames: Bool { options.finalPass != .none }

  /// The texts that the utterance may have, the best first; at least one.
  func settle(
    _ utterance: DecodedUtterance, _ frames: UtteranceFrames, scratch: ScratchArena
  ) -> [SettledText] {
    // A decoder that is made to say something about silence makes it up.
    if utterance.isSilence { return [SettledText(tokens: [])] }
    let range = frames.range(of: utterance)
    let isSkipped = options.finalThreshold.map { utterance.margin > $0 } ?? false
    guard options.finalPass != .none, !isSkipped, !range.isEmpty,
      let decoder = model.networks.decoder
    else { return firstPass(utterance, frames, range, scratch) }
    return scratch.scope {
      let hidden =
        options.finalPass == .fullContext
        ? encodeAgain(frames, range, scratch) : frames.outputs(range, scratch: scratch)
      switch options.finalPass {
      case .rescore:
        return rescore(hypotheses(utterance, hidden, range, scratch), hidden, decoder, scratch)
      case .fullContext:
        return rescore(search(hidden, range, scratch), hidden, decoder, scratch)
      case .joint:
        return searchJointly(hidden, decoder, range, scratch, otherwise: utterance)
      case .none, .draft:
        return verify(utterance, hidden, decoder, range, scratch)
      }
    }
  }

  /// What the search said without a final pass.
  private func firstPass(
    _ utterance: DecodedUtterance, _ frames: UtteranceFrames, _ range: Range<Int>,
    _ scratch: ScratchArena
  ) -> [SettledText] {
    guard options.needsBeam else { return [SettledText(tokens: utterance.greedyTokens)] }
    return scratch.scope {
      let hypotheses =
        utterance.hypotheses.isEmpty
        ? search(frames.outputs(range, scratch: scratch), range, scratch) : utterance.hypotheses
      return hypotheses.map {
        SettledText(tokens: $0.tokens, scores: HypothesisScores($0, biases: options.biases))
      }
    }
  }

  /// Those that the first pass held possible, or those of a beam search over the same frames.
  private func hypotheses(
    _ utterance: DecodedUtterance, _ hidden: MatrixView, _ range: Range<Int>,
    _ scratch: ScratchArena
  ) -> [Hypothesis] {
    utterance.hypotheses.isEmpty ? search(hidden, range, scratch) : utterance.hypotheses
  }

  private func search(
    _ hidden: MatrixView, _ range: Range<Int>, _ scratch: ScratchArena
  ) -> [Hypothesis] {
    var beam = options.makeBeam(blank: model.vocabulary.blank, firstFrame: range.lowerBound)
    beam.advance(logProbs(hidden, scratch))
    return beam.nBest(isEnd: true)
  }

  private func rescore(
    _ hypotheses: [Hypothesis], _ hidden: MatrixView, _ decoder: BidirectionalDecoder,
    _ scratch: ScratchArena
  ) -> [SettledText] {
    let scorer = DecoderScorer(
      decoder, frames: hidden, usesRight: rescorer.options.reverseWeight > 0, run: run,
      scratch: scratch)
    let rescored = rescorer.rescore(
      hypotheses, scorer, languageModel: options.rescoringLanguageModel)
    return rescored.map {
      SettledText(
        tokens: $0.hypothesis.tokens, scores: HypothesisScores($0, biases: options.biases))
    }
  }

  private func searchJointly(
    _ hidden: MatrixView, _ decoder: BidirectionalDecoder, _ range: Range<Int>,
    _ scratch: ScratchArena, otherwise utterance: DecodedUtterance
  ) -> [SettledText] {
    let scorer = DecoderScorer(
      decoder, frames: hidden, usesRight: false, run: run, scratch: scratch)
    let logProbs = logProbs(hidden, scratch)
    let found = joint.search(
      scorer, ctc: CTCPrefixScorer(logProbs, blank: model.vocabulary.blank))
    let texts = found.hypotheses.compactMap { hypothesis in
      timed(hypothesis.tokens, logProbs, range).map {
        SettledText(tokens: $0, scores: HypothesisScores(hypothesis, biases: options.biases))
      }
    }
    return texts.isEmpty ? [SettledText(tokens: utterance.tokens)] : texts
  }

  /// Tokens after which the decoder's own text is cut off: one that says far more than CTC has heard
  /// is in a loop.
  static func longestText(_ utterance: DecodedUtterance, frames: Int) -> Int {
    min(frames, 2 * utterance.greedyTokens.count + 16)
  }

  private func verify(
    _ utterance: DecodedUtterance, _ hidden: MatrixView, _ decoder: BidirectionalDecoder,
    _ range: Range<Int>, _ scratch: ScratchArena
  ) -> [SettledText] {
    let scorer = DecoderScorer(
      decoder, frames: hidden, usesRight: false, run: run, scratch: scratch)
    let draft = utterance.greedyTokens.map(\.id)
    let found = DraftSearch(maxLength: Self.longestText(utterance, frames: range.count))
      .search(scorer, draft: draft)
    let tokens = timed(found.tokens, logProbs(hidden, scratch), range)
    return [SettledText(tokens: tokens ?? utterance.tokens)]
  }

  /// The utterance encoded as one block, as if it were a whole recording. [frames, d]
  private func encodeAgain(
    _ frames: UtteranceFrames, _ range: Range<Int>, _ scratch: ScratchArena
  ) -> MatrixView {
    let x = frames.inputs(range, beyond: Self.beyond, scratch: scratch)
    let encoder = model.networks.encoder
    encoder.step(
      x,
      blocks: [
        EncoderBlock(
          cache: encoder.makeCache(leftContext: 0), range: 0..<x.rows, finalRows: range.count,
          isCutOff: false)
      ], scratch: scratch)
    return x.rows(0..<range.count)
  }

  private func logProbs(_ hidden: MatrixView, _ scratch: ScratchArena) -> LogProbs {
    let result = scratch.matrix(rows: hidden.rows, columns: model.vocabulary.count)
    model.networks.ctc.logProbs(hidden, into: result)
    return LogProbs(result.pointer, frames: result.rows, vocabulary: result.columns)
  }

  /// Tokens without times at the places where CTC hears them best; nil if there is no text or CTC
  /// cannot have said it.
  private func timed(
    _ tokens: [Int], _ logProbs: LogProbs, _ range: Range<Int>
  ) -> [DecodedToken]? {
    guard !tokens.isEmpty, !tokens.contains(model.vocabulary.blank),
      let aligned = try? CTCForcedAlignment(blank: model.vocabulary.blank)
        .align(tokens, to: logProbs)
    else { return nil }
    return aligned.map { token in
      DecodedToken(
        id: token.id, frame: range.lowerBound + token.frames.lowerBound,
        logProb: token.frames.map { logProbs[$0][token.id] }.max() ?? 0)
    }
  }
}
