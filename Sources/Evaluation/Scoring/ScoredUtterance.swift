/// An utterance with the alignment of what was recognised.
public struct ScoredUtterance: Sendable {
  public let reference: Utterance
  /// What was recognised, as it was written; nil if the hypotheses lack the utterance.
  public let hypothesis: String?
  /// Normalised words, as numbers of the score's `tokens`.
  public let referenceWords: [Int32]
  public let hypothesisWords: [Int32]
  public let operations: [EditOperation]
  public let words: ErrorCounts
  public let characters: ErrorCounts

  /// Whether anything in it is wrong.
  public var isWrong: Bool { words.errors > 0 }

  /// The words of every step; nil on the side that a step does not use.
  public func steps(_ tokens: TokenTable) -> [AlignedStep] {
    var (r, h) = (0, 0)
    return operations.map { operation in
      let step = AlignedStep(
        operation: operation,
        reference: operation.usesReference ? tokens[referenceWords[r]] : nil,
        hypothesis: operation.usesHypothesis ? tokens[hypothesisWords[h]] : nil)
      if operation.usesReference { r += 1 }
      if operation.usesHypothesis { h += 1 }
      return step
    }
  }
}

/// One step of an alignment with its words.
public struct AlignedStep: Equatable, Sendable {
  public let operation: EditOperation
  public let reference: String?
  public let hypothesis: String?
}
