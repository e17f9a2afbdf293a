import Decoding

/// One line of what `starling stream` prints while a person speaks.
public struct StreamEvent: Equatable, Sendable {
  /// Whether the text may still change.
  public enum Kind: String, Sendable {
    /// The utterance goes on; the text after `committed` may change.
    case partial
    /// The utterance has ended and its text is settled.
    case final
  }

  public var kind: Kind
  /// Number of the utterance in the stream, as the caller counts them.
  public var utterance: Int
  /// The whole text of the utterance so far.
  public var text: String
  /// The beginning of `text` that will not change any more.
  public var committed: String
  /// Seconds from the start of the stream.
  public var start: Double
  /// Seconds from the start of the stream.
  public var end: Double
  /// The words of `text`, times in seconds from the start of the stream.
  public var words: [Word]
  /// The texts that a final event may have had, the best first; empty if nobody asked.
  public var alternatives: [TranscriptAlternative]

  /// - Parameters:
  ///   - start: seconds from the start of the stream.
  ///   - end: seconds from the start of the stream.
  public init(
    kind: Kind, utterance: Int, text: String, committed: String, start: Double, end: Double,
    words: [Word], alternatives: [TranscriptAlternative] = []
  ) {
    self.kind = kind
    self.utterance = utterance
    self.text = text
    self.committed = committed
    self.start = start
    self.end = end
    self.words = words
    self.alternatives = alternatives
  }

  /// The event as one JSON object on one line, the line end included.
  ///
  /// Keys in this order: type, utterance, text, committed, start, end, words, and
  /// alternatives if there are any.
  public var jsonLine: String {
    let members: [(String, JSONText)] = [
      ("type", .string(kind.rawValue)),
      ("utterance", .number(String(utterance))),
      ("text", .string(text)),
      ("committed", .string(committed)),
      ("start", .seconds(start)),
      ("end", .seconds(end)),
      ("words", .words(words)),
    ]
    return JSONText.object(members + JSONText.alternatives(alternatives)).compact + "\n"
  }
}
