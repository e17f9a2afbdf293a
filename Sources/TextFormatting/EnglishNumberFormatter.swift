public import Decoding

/// Writes the spelled numbers of English text in figures: cardinals, ordinals, years, dates, money,
/// percentages, times of day, decimals and rows of digits.
///
/// A rule-based inverse text normaliser. It leaves every other word alone, and numbers below ten
/// too unless a unit follows; where it cannot tell what is meant, it changes nothing. What it has
/// written it does not change again.
public struct EnglishNumberFormatter: PostProcessor {
  public init() {}

  public func process(_ words: [Word]) -> [Word] {
    var words = words
    // A rule may apply only once its neighbour has been written. Every change leaves fewer number
    // words, so this ends.
    while true {
      let next = pass(words)
      if next == words { return words }
      words = next
    }
  }

  private func pass(_ words: [Word]) -> [Word] {
    var written: [Word] = []
    var rules = NumberRules(reader: NumberReader(words: words.map { $0.word.lowercased() }))
    var index = 0
    while index < words.count {
      rules.before = written.suffix(2).map { $0.word.lowercased() }
      guard let replacement = rules.replacement(index) else {
        written.append(words[index])
        index += 1
        continue
      }
      written += replacement.apply(to: words[index..<index + replacement.count])
      index += replacement.count
    }
    return written
  }
}
