/// What is done to references and hypotheses alike before they are compared.
public enum TextNormalizer: String, CaseIterable, Sendable {
  /// Words as they stand, between white space.
  case none
  /// Small letters, without punctuation, symbols and what is in brackets; for any language with
  /// spaces. The rules are those of Whisper's basic normaliser (Radford et al. 2022), but marks of
  /// scripts that write vowels with them stay.
  case basic
  /// For English, after Whisper's rules: as `basic`, and fillers go, contractions are written out,
  /// numbers are in figures, British spellings American.
  case english
  /// WeNet's tokenisation (`tools/compute-wer.py --char=1`): a letter of a script without cases,
  /// such as a Chinese character, is a word of its own, other words are in capitals, some
  /// punctuation and `<tags>` go.
  case wenet
  /// Every letter and digit is a word: for Chinese and Japanese. Small letters, compatibility
  /// forms made one, without spaces, punctuation and symbols.
  case characters

  /// The words to compare.
  public func tokens(_ text: String) -> [String] {
    switch self {
    case .none: text.split(whereSeparator: \.isWhitespace).map(String.init)
    case .basic: BasicNormalizer.tokens(text)
    case .english: EnglishNormalizer.tokens(text)
    case .wenet: WeNetTokenizer.tokens(text)
    case .characters: BasicNormalizer.characters(text)
    }
  }

  /// Whether words are written without spaces between them.
  public var separatesByCharacter: Bool { self == .characters || self == .wenet }
}
