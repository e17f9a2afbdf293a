/// A text that the model's pieces cannot spell.
public struct SegmentationError: Error, Equatable, CustomStringConvertible {
  public let phrase: String
  public let character: Character
  /// Whether no piece has the character at all; else pieces have it, but not where it stands.
  public let isUnknown: Bool

  public init(phrase: String, character: Character, isUnknown: Bool) {
    self.phrase = phrase
    self.character = character
    self.isUnknown = isUnknown
  }

  public var description: String {
    "'\(phrase)' cannot be spelled with the model's pieces: "
      + (isUnknown ? "no piece has '\(character)'" : "no piece fits at '\(character)'")
  }
}
