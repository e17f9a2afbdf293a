/// The tokens of WeNet's `compute-wer.py --char=1`, in capitals and without tags.
enum WeNetTokenizer {
  private static let punctuation = Set<Unicode.Scalar>(
    "!,?、。！，；？：「」︰『』《》".unicodeScalars)

  static func tokens(_ text: String) -> [String] {
    var tokens: [String] = []
    var rest = text.unicodeScalars[...]
    while let scalar = rest.first {
      if punctuation.contains(scalar) || isSpace(scalar) {
        rest.removeFirst()
      } else if scalar.properties.generalCategory == .otherLetter {
        tokens.append(String(scalar))
        rest.removeFirst()
      } else {
        let word = prefix(&rest, isTag: scalar == "<")
        let kept = withoutTags(word.uppercased())
        if !kept.isEmpty { tokens.append(kept) }
      }
    }
    return tokens
  }

  private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    if ["\t", "\r", "\n", " "].contains(scalar) { return true }
    let category = scalar.properties.generalCategory
    return category == .spaceSeparator || category == .unassigned
  }

  /// Takes a word: up to a space, a letter beyond ASCII or, for a tag, its end.
  private static func prefix(
    _ rest: inout Substring.UnicodeScalarView, isTag: Bool
  ) -> String {
    var word = String.UnicodeScalarView()
    word.append(rest.removeFirst())
    while let next = rest.first, next.isASCII, ![" ", "\t", "\r", "\n"].contains(next) {
      if isTag, next == ">" { break }
      word.append(rest.removeFirst())
    }
    if rest.first == ">" { word.append(rest.removeFirst()) }
    return String(word)
  }

  private static func withoutTags(_ word: String) -> String {
    var kept = ""
    var isInTag = false
    for character in word {
      if isInTag {
        isInTag = character != ">"
      } else if character == "<" {
        isInTag = true
      } else {
        kept.append(character)
      }
    }
    return kept
  }
}
