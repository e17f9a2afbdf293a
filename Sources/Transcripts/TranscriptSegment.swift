import Decoding

/// One utterance of a transcript: the speech between two endpoints.
public struct TranscriptSegment: Equatable, Sendable {
  /// The text as it should be read.
  public var text: String
  /// Seconds from the start of the audio.
  public var start: Double
  /// Seconds from the start of the audio.
  public var end: Double
  /// The words of `text` with their times; may be empty where a model gives none.
  public var words: [Word]
  /// The texts that it may have had, the best first, which is `text`; empty if nobody asked.
  public var alternatives: [TranscriptAlternative]

  /// - Parameters:
  ///   - start: seconds from the start of the audio.
  ///   - end: seconds from the start of the audio.
  public init(
    text: String, start: Double, end: Double, words: [Word],
    alternatives: [TranscriptAlternative] = []
  ) {
    self.text = text
    self.start = start
    self.end = end
    self.words = words
    self.alternatives = alternatives
  }
}
