import Foundation

/// Small letters without punctuation and symbols.
enum BasicNormalizer {
  static func tokens(_ text: String) -> [String] {
    spaced(withoutBrackets(text)).split(separator: " ").map(String.init)
  }

  /// Each letter, mark with its letter, or digit by itself.
  static func characters(_ text: String) -> [String] {
    spaced(text).filter { $0 != " " }.map { String($0) }
  }

  /// In compatibility form (NFKC) and small letters, with a space for all that is no letter, mark
  /// or digit.
  static func spaced(_ text: String) -> String {
    var out = String.UnicodeScalarView()
    for scalar in text.precomposedStringWithCompatibilityMapping.lowercased().unicodeScalars {
      // A mark whose letter went would be one character with the space before it.
      if isMark(scalar), (out.last ?? " ") == " " { continue }
      out.append(isText(scalar) ? scalar : " ")
    }
    return String(out)
  }

  private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark: true
    default: false
    }
  }

  static func isText(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.isASCII { return scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) }
    return switch scalar.properties.generalCategory {
    case .mathSymbol, .currencySymbol, .modifierSymbol, .otherSymbol, .connectorPunctuation,
      .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
      .finalPunctuation, .otherPunctuation, .spaceSeparator, .lineSeparator, .paragraphSeparator,
      .control, .format:
      false
    default: true
    }
  }

  /// Without what is in `[…]`, `<…>` or `(…)`: what is not said, in most corpora. A bracket that
  /// is never closed stays.
  static func withoutBrackets(_ text: String) -> String {
    guard text.utf8.contains(where: { [0x5B, 0x3C, 0x28].contains($0) }) else { return text }
    let closing: [Unicode.Scalar: Set<Unicode.Scalar>] = [
      "[": ["]", ">"], "<": ["]", ">"], "(": [")"],
    ]
    var out = String.UnicodeScalarView()
    var rest = text.unicodeScalars[...]
    while let scalar = rest.first {
      if let closers = closing[scalar],
        let end = rest.dropFirst().firstIndex(where: { closers.contains($0) })
      {
        rest = rest[rest.index(after: end)...]
      } else {
        out.append(scalar)
        rest = rest.dropFirst()
      }
    }
    return String(out)
  }
}
