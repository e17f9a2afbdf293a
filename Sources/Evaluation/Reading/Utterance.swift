/// A text of one utterance, as a file gives it.
public struct Utterance: Equatable, Sendable {
  /// A stretch of a recording, in seconds.
  public struct Segment: Equatable, Sendable {
    /// File and channel.
    public var recording: String
    public var start: Double
    public var end: Double
  }

  /// What the utterance is called on both sides.
  public var id: String
  public var text: String
  public var speaker: String?
  /// Values of the columns that scores are to be grouped by.
  public var groups: [String: String] = [:]
  /// Seconds of audio.
  public var duration: Double?
  /// Path of its audio, as the file gives it.
  public var audio: String?
  /// Where it is in a recording, in formats with times.
  public var segment: Segment?
  /// Line of the file, from 1.
  public var line: Int

  public init(id: String, text: String, line: Int) {
    self.id = id
    self.text = text
    self.line = line
  }
}
