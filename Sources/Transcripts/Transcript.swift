import Decoding

/// What was said in one audio file.
public struct Transcript: Equatable, Sendable {
  /// The input as the user named it; `-` is standard input.
  public var file: String
  /// Length of the audio in seconds.
  public var duration: Double
  /// Utterances in the order they were spoken.
  public var segments: [TranscriptSegment]

  /// - Parameter duration: length of the audio in seconds.
  public init(file: String, duration: Double, segments: [TranscriptSegment]) {
    self.file = file
    self.duration = duration
    self.segments = segments
  }

  /// The whole text: the segments joined by a space, those without text left out.
  public var text: String {
    segments.lazy.map(\.text)
      .filter { text in !text.allSatisfy(\.isWhitespace) }
      .joined(separator: " ")
  }

  /// Every word of every segment, in order.
  public var words: [Word] {
    segments.flatMap(\.words)
  }
}
