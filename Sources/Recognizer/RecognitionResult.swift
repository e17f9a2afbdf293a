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

  /// Seconds from the start of the stream to the first word; 0 without words.
  public var start: Double { words.first?.start ?? 0 }
  /// Seconds from the start of the stream to the end of the last word; 0 without words.
  public var end: Double { words.last?.end ?? 0 }
}
