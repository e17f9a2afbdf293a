/// A recognised word with its place in the audio.
public struct Word: Equatable, Sendable, Codable {
  /// The word as the model spells it.
  public var word: String
  /// Seconds from the start of the audio.
  public var start: Double
  /// Seconds from the start of the audio; never before `start`.
  public var end: Double
  /// How sure the recogniser is, 0…1.
  public var confidence: Double

  public init(word: String, start: Double, end: Double, confidence: Double) {
    self.word = word
    self.start = start
    self.end = end
    self.confidence = confidence
  }
}
