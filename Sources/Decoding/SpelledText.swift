import Foundation

/// A text cut into words, each spelled in a model's tokens.
public struct SpelledText: Equatable, Sendable {
  public struct SpelledWord: Equatable, Sendable {
    /// As the text has it, punctuation included.
    public var text: String
    /// Line of the text, from 1.
    public var line: Int
    /// At least one.
    public var tokens: [Int]
  }

  /// In order.
  public let words: [SpelledWord]

  /// The tokens of all words.
  public var tokens: [Int] { words.flatMap(\.tokens) }

  /// Cuts `text` at white space. What holds neither letter nor digit, such as a dash, is not
  /// spoken and left out.
  ///
  /// - Parameter spell: the tokens of one word; throws for a word that it cannot spell. It is asked
  ///   for the word as it stands, then without the punctuation around it, then in small letters,
  ///   and last for the parts between hyphens.
  public init(_ text: String, spell: (String) throws -> [Int]) throws(SpellingError) {
    var words: [SpelledWord] = []
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (index, line) in lines.enumerated() {
      for word in line.split(whereSeparator: \.isWhitespace)
      where word.contains(where: { $0.isLetter || $0.isNumber }) {
        guard let tokens = Self.tokens(String(word), spell) else {
          throw .unspellable(word: String(word), line: index + 1)
        }
        words.append(SpelledWord(text: String(word), line: index + 1, tokens: tokens))
      }
    }
    guard !words.isEmpty else { throw .noWords }
    self.words = words
  }

  private static func tokens(_ word: String, _ spell: (String) throws -> [Int]) -> [Int]? {
    let plain = word.replacing("\u{2019}", with: "'")
    let bare = plain.drop(while: isOutside).reversed().drop(while: isOutside).reversed()
    let small = String(bare).lowercased()
    for candidate in [plain, String(bare), small] {
      if let tokens = try? spell(candidate), !tokens.isEmpty { return tokens }
    }
    let parts = small.split(whereSeparator: { "-‐‑–—/…".contains($0) })
    guard parts.count > 1 else { return nil }
    var all: [Int] = []
    for part in parts {
      guard let tokens = try? spell(String(part)), !tokens.isEmpty else { return nil }
      all += tokens
    }
    return all
  }

  private static func isOutside(_ character: Character) -> Bool {
    !(character.isLetter || character.isNumber || character == "'")
  }
}

/// Why a text cannot be spelled in a model's tokens.
public enum SpellingError: Error, Equatable, CustomStringConvertible {
  case unspellable(word: String, line: Int)
  case noWords

  public var description: String {
    switch self {
    case .unspellable(let word, let line):
      "line \(line): the model's tokens cannot spell '\(word)'; write it as it is spoken, in "
        + "the letters that the model knows"
    case .noWords: "the text holds no words"
    }
  }
}
