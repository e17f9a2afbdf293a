import Conformer
import Decoding
import Tensor

/// Settles the text of utterances that have ended.
struct FinalDecoder {
  private let model: RecognizerModel
  private let options: DecodingOptions
  private let rescoring: RescoringOptions
  private let joint: JointSearchOptions
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
    run = model.decoderRun(auxiliaryWeights: options.auxiliaryWeights)
    let weights = model.config.decoding ?? DecodingConfig()
    let hasRight = model.networks.decoder?.right != nil
    rescoring =
      options.rescoring
      ?? RescoringOptions(
        attentionWeight: weights.attentionWeight,
        reverseWeight: hasRight ? weights.reverseWeight : 0, ctcWeight: 1)
    joint =
      options.joint
      ?? JointSearchOptions(
        beamSize: Self.jointBeam, ctcWeight: weights.jointCTCWeight,
        lengthBonus: weights.jointLengthBonus, ctcProposals: Self.jointProposals, nBest: 1)
  }

  /// Whether utterances' frames must be kept for this.
  var needsFrames: Bool { options.finalPass != .none }

  /// The tokens that the utterance is settled on.
  func tokens(
    _ utterance: DecodedUtterance, _ frames: UtteranceFrames, scratch: ScratchArena
  ) -> [DecodedToken] {
    if let threshold = options.finalThreshold, utterance.margin > threshold {
      return utterance.tokens
    }
    let range = frames.range(of: utterance)
    guard options.finalPass != .none, !range.isEmpty, let decoder = model.networks.decoder else {
      return utterance.tokens
    }
    return scratch.scope {
      switch options.finalPass {
      case .none: return utterance.tokens
      case .rescore:
        let hidden = frames.outputs(range, scratch: scratch)
        return rescore(utterance.hypotheses, hidden, decoder, scratch)
      case .fullContext:
        let hidden = encodeAgain(frames, range, scratch)
        var beam = options.makeBeam(blank: model.vocabulary.blank, firstFrame: range.lowerBound)!
        beam.advance(logProbs(hidden, scratch))
        return rescore(beam.nBest(isEnd: true), hidden, decoder, scratch)
      case .joint:
        let hidden = frames.outputs(range, scratch: scratch)
        let scorer = DecoderScorer(
          decoder, frames: hidden, usesRight: false, run: run, scratch: scratch)
        let scores = logProbs(hidden, scratch)
        let found = JointSearch(joint, biases: options.biases).search(
          scorer, ctc: CTCPrefixScorer(scores, blank: model.vocabulary.blank))
        return timed(found.hypotheses.first?.tokens, scores, range, otherwise: utterance.tokens)
      case .draft:
        let hidden = frames.outputs(range, scratch: scratch)
        let scorer = DecoderScorer(
          decoder, frames: hidden, usesRight: false, run: run, scratch: scratch)
        let found = DraftSearch(maxLength: range.count).search(
          scorer, draft: utterance.tokens.map(\.id))
        return timed(
          found.tokens, logProbs(hidden, scratch), range, otherwise: utterance.tokens)
      }
    }
  }

  private func rescore(
    _ hypotheses: [Hypothesis], _ hidden: MatrixView, _ decoder: BidirectionalDecoder,
    _ scratch: ScratchArena
  ) -> [DecodedToken] {
    let scorer = DecoderScorer(
      decoder, frames: hidden, usesRight: rescoring.reverseWeight > 0, run: run,
      scratch: scratch)
    return Rescorer(rescoring).rescore(hypotheses, scorer)[0].hypothesis.tokens
  }

  /// The utterance encoded as one block. [frames, d]
  private func encodeAgain(
    _ frames: UtteranceFrames, _ range: Range<Int>, _ scratch: ScratchArena
  ) -> MatrixView {
    let x = frames.inputs(range, beyond: Self.beyond, scratch: scratch)
    let encoder = model.networks.encoder
    encoder.step(
      x,
      blocks: [
        EncoderBlock(
          cache: encoder.makeCache(leftContext: 0), range: 0..<x.rows, finalRows: range.count)
      ], scratch: scratch)
    return x.rows(0..<range.count)
  }

  private func logProbs(_ hidden: MatrixView, _ scratch: ScratchArena) -> LogProbs {
    let result = scratch.matrix(rows: hidden.rows, columns: model.vocabulary.count)
    model.networks.ctc.logProbs(hidden, into: result)
    return LogProbs(result.pointer, frames: result.rows, vocabulary: result.columns)
  }

  /// Tokens without times at the places where CTC hears them best; `otherwise` if there is no text
  /// or CTC cannot have said it.
  private func timed(
    _ tokens: [Int]?, _ logProbs: LogProbs, _ range: Range<Int>, otherwise: [DecodedToken]
  ) -> [DecodedToken] {
    guard let tokens, !tokens.isEmpty, !tokens.contains(model.vocabulary.blank),
      let aligned = try? CTCForcedAlignment(blank: model.vocabulary.blank)
        .align(tokens, to: logProbs)
    else { return otherwise }
    return aligned.map { token in
      DecodedToken(
        id: token.id, frame: range.lowerBound + token.frames.lowerBound,
        logProb: token.frames.map { logProbs[$0][token.id] }.max() ?? 0)
    }
  }
}
