public import Decoding

/// What a stream says of one utterance.
public struct RecognitionResult: Equatable, Sendable {
  public enum Kind: String, Sendable {
    /// The utterance goes on.
    case partial
    /// The utterance has ended; its text will not change.
    case final
  }

  public var kind: Kind
  /// Number of the utterance in its stream, from 0.
  public var utterance: Int
  /// The text so far: the committed text and, in a partial result, a tail that may change.
  public var text: String
  /// The part of `text`, from its start, that will never be taken back.
  public var committed: String
  /// The words of `text`, in seconds from the start of the stream.
  public var words: [Word]
  /// Texts that a final result may have had, the best first, which is `text`; as many as
  /// `DecodingOptions.nBest` or fewer.
  public var alternatives: [Alternative] = []

  /// Seconds from the start of the stream to the first word; 0 without words.
  public var start: Double { words.first?.start ?? 0 }
  /// Seconds from the start of the stream to the end of the last word; 0 without words.
  public var end: Double { words.last?.end ?? 0 }
}

/// One of the texts that an utterance may have had.
public struct Alternative: Equatable, Sendable {
  public var text: String
  /// The words of `text`, in seconds from the start of the stream.
  public var words: [Word]
  /// nil where the search weighs nothing: greedy and draft search.
  public var scores: HypothesisScores?
}
