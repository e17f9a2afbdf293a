/// Counts over some utterances.
public struct ScoreSummary: Equatable, Sendable {
  public private(set) var utterances = 0
  /// Utterances with at least one word error.
  public private(set) var wrongUtterances = 0
  public private(set) var words = ErrorCounts()
  public private(set) var characters = ErrorCounts()

  public init(_ utterances: some Sequence<ScoredUtterance> = []) {
    for utterance in utterances { add(utterance) }
  }

  public mutating func add(_ utterance: ScoredUtterance) {
    utterances += 1
    wrongUtterances += utterance.isWrong ? 1 : 0
    words += utterance.words
    characters += utterance.characters
  }

  /// Sentence error rate, 0…1: the share of utterances with an error.
  public var sentenceErrorRate: Double {
    utterances == 0 ? 0 : Double(wrongUtterances) / Double(utterances)
  }
}
