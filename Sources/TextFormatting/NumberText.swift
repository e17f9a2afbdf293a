/// Numbers in figures.
package enum NumberText {
  /// In groups of three from 10,000 on, so that years stay whole.
  static func cardinal(_ value: Int) -> String {
    let digits = Array(String(value))
    guard digits.count >= 5 else { return String(digits) }
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }

  /// `21st`.
  package static func ordinal(_ value: Int) -> String {
    let suffix =
      switch (value % 10, value % 100) {
      case (_, 11...13): "th"
      case (1, _): "st"
      case (2, _): "nd"
      case (3, _): "rd"
      default: "th"
      }
    return cardinal(value) + suffix
  }
}
