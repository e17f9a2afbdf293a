public import Decoding

/// Turns recognised words into the text that people read: numbers, punctuation, capitals.
///
/// It sees one finished utterance at a time and keeps the words' times: words that become one take
/// the start of the first, the end of the last and the least confidence.
public protocol PostProcessor: Sendable {
  func process(_ words: [Word]) -> [Word]
}

extension PostProcessor {
  /// The same for text without times.
  public func process(_ text: String) -> String {
    let words = text.split(whereSeparator: \.isWhitespace).map {
      Word(word: String($0), start: 0, end: 0, confidence: 1)
    }
    return process(words).map(\.word).joined(separator: " ")
  }
}
