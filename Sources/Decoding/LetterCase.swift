/// The case of letters in which a vocabulary is written.
enum LetterCase: Sendable {
  case lower, upper
  /// Both occur, so case carries meaning, or neither does.
  case mixed

  /// The case of all letters of `texts`.
  init(of texts: some Sequence<String>) {
    var (hasLower, hasUpper) = (false, false)
    for text in texts {
      for scalar in text.unicodeScalars {
        hasLower = hasLower || scalar.properties.isLowercase
        hasUpper = hasUpper || scalar.properties.isUppercase
      }
      if hasLower && hasUpper { break }
    }
    self = hasLower == hasUpper ? .mixed : hasLower ? .lower : .upper
  }

  /// `text` as the vocabulary would write it.
  func apply(_ text: String) -> String {
    switch self {
    case .lower: text.lowercased()
    case .upper: text.uppercased()
    case .mixed: text
    }
  }
}
