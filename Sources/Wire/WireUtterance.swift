import Decoding

/// What a session says of one utterance: the server makes it from a recognition result.
public struct WireUtterance: Equatable, Sendable {
  /// One of the texts that an utterance may have had.
  public struct Alternative: Equatable, Sendable {
    public var text: String
    /// In nats, higher is better; nil where the search weighs nothing.
    public var score: Double?
    /// The words of `text`; may be empty.
    public var words: [Word]

    public init(text: String, score: Double? = nil, words: [Word] = []) {
      self.text = text
      self.score = score
      self.words = words
    }
  }

  /// Number of the utterance in its stream, from 0.
  public var index: Int
  /// Whether the utterance has ended; its text will not change then.
  public var isFinal: Bool
  public var text: String
  /// The part of `text`, from its start, that will not be taken back.
  public var committed: String
  /// The words of `text`, in seconds from the start of the stream.
  public var words: [Word]
  /// Seconds from the start of the stream.
  public var start: Double
  /// Seconds from the start of the stream.
  public var end: Double
  /// The best first, which is `text`; empty if nobody asked.
  public var alternatives: [Alternative]

  public init(
    index: Int, isFinal: Bool, text: String, committed: String, words: [Word], start: Double,
    end: Double, alternatives: [Alternative] = []
  ) {
    self.index = index
    self.isFinal = isFinal
    self.text = text
    self.committed = committed
    self.words = words
    self.start = start
    self.end = end
    self.alternatives = alternatives
  }
}
