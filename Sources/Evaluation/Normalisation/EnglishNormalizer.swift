import Foundation

/// English text so written that it only differs where other words were said.
enum EnglishNormalizer {
  private static let fillers: Set<String> = ["hmm", "mm", "mhm", "mmm", "uh", "um"]
  /// What may stand at a number.
  private static let numberSigns = Set<Character>(".%$¢€£")

  static func tokens(_ text: String) -> [String] {
    let plain = BasicNormalizer.withoutBrackets(text.lowercased())
      .replacing("’", with: "'")
    var words: [String] = []
    for word in plain.split(whereSeparator: \.isWhitespace) {
      // "it 's" is "it's", as many treebanks write it.
      if word.first == "'", EnglishContractions.isSuffix(word), let last = words.popLast() {
        words.append(last + word)
      } else {
        words.append(String(word))
      }
    }
    words = words.filter { !fillers.contains(letters($0)) }
    words = EnglishContractions.expand(words).flatMap(cleaned)
    return EnglishNumbers.inFigures(words).flatMap(withoutLoneSigns).map(EnglishSpelling.american)
  }

  private static func letters(_ word: String) -> String { word.filter(\.isLetter) }

  /// Parts of a word without punctuation and accents; a number keeps its point and its sign.
  private static func cleaned(_ word: String) -> [String] {
    let digits = word.contains(where: \.isNumber)
    var out = ""
    var characters = Array(word.decomposedStringWithCompatibilityMapping.unicodeScalars)
    characters.removeAll { $0.properties.generalCategory == .nonspacingMark || $0 == "'" }
    for (index, scalar) in characters.enumerated() {
      let next = index + 1 < characters.count ? characters[index + 1] : " "
      let previous = index > 0 ? characters[index - 1] : " "
      if scalar == ",", isDigit(previous), isDigit(next) { continue }
      let isSign = numberSigns.contains(Character(scalar)) && digits
      let staysPoint = scalar != "." || isDigit(next)
      if BasicNormalizer.isText(scalar) || (isSign && staysPoint) {
        out.unicodeScalars.append(folded(scalar))
      } else {
        out += " "
      }
    }
    return out.split(separator: " ").map(String.init)
  }

  /// Letters with strokes, which have no accent to take off.
  private static func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    switch scalar {
    case "ø": "o"
    case "ł": "l"
    case "đ", "ð": "d"
    default: scalar
    }
  }

  private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

  /// Without signs that stand at no number.
  private static func withoutLoneSigns(_ word: String) -> [String] {
    guard word.contains(where: { numberSigns.contains($0) }), !word.contains(where: \.isNumber)
    else { return [word] }
    return word.split(whereSeparator: { numberSigns.contains($0) }).map(String.init)
  }
}
