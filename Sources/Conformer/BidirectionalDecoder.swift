import Tensor

/// Cross-attention memories of both directions; without `right` only the left decoder is used.
public struct BidirectionalMemory: Sendable {
  public let left: CrossAttentionMemory
  public let right: CrossAttentionMemory?
}

/// Log-probabilities of one hypothesis, each [tokens + 1] in the order of the text: entry j belongs
/// to token j in both directions, the last to the end that the direction predicts.
public struct BidirectionalScore: Equatable, Sendable {
  public let left: [Float]
  public let right: [Float]?

  /// Sums over all tokens and the end: S_l and S_r of U2++ rescoring.
  public var leftTotal: Float { left.reduce(0, +) }
  public var rightTotal: Float? { right?.reduce(0, +) }
}

/// The attention decoder of a model: left to right and, if the model has it, right to left (U2++).
public struct BidirectionalDecoder: Sendable {
  public let left: AttentionDecoder
  public let right: AttentionDecoder?

  /// - Parameter reader: at the tensors below `decoder.`.
  public init(_ reader: WeightReader, _ config: DecoderConfig) throws(WeightError) {
    let positions = SinusoidalPositions(width: config.width)
    left = try AttentionDecoder(
      reader["left"], config, layers: config.leftLayers,
      auxiliaryLayers: config.auxiliaryHeads ?? [], positions: positions)
    if config.rightLayers > 0 {
      right = try AttentionDecoder(
        reader["right"], config, layers: config.rightLayers, auxiliaryLayers: [],
        positions: positions)
    } else {
      right = nil
    }
  }

  /// Keys and values for encoder frames.
  ///
  /// - Parameters:
  ///   - frames: the encoder's output, [frames of all utterances, d].
  ///   - utterances: rows of each utterance; nil for one that has all of them.
  ///   - usesRight: whether the right decoder will score; it costs nothing if not.
  public func makeMemory(
    _ frames: MatrixView, utterances: [Range<Int>]? = nil, usesRight: Bool
  ) -> BidirectionalMemory {
    precondition(!usesRight || right != nil, "this model has no right decoder")
    return BidirectionalMemory(
      left: left.makeMemory(frames, utterances: utterances),
      right: usesRight ? right?.makeMemory(frames, utterances: utterances) : nil)
  }

  /// Scores hypotheses in one pass per direction.
  ///
  /// - Parameter run: of the left decoder.
  public func score(
    _ hypotheses: [TokenSequence], memory: BidirectionalMemory, run: DecoderRun = DecoderRun(),
    scratch: ScratchArena
  ) -> [BidirectionalScore] {
    let lefts = left.targetLogProbs(hypotheses, memory: memory.left, run: run, scratch: scratch)
    guard let right, let rightMemory = memory.right else {
      return lefts.map { BidirectionalScore(left: $0, right: nil) }
    }
    let reversed = hypotheses.map { TokenSequence($0.tokens.reversed(), utterance: $0.utterance) }
    let rights = right.targetLogProbs(reversed, memory: rightMemory, scratch: scratch)
    return zip(lefts, rights).map { left, right in
      BidirectionalScore(left: left, right: right.dropLast().reversed() + right.suffix(1))
    }
  }
}
