/// Plain text between tags, of WebVTT and HTML.
package enum MarkupText {
  /// Scalar by scalar, since an accent after `<` would hide it from a search by character.
  ///
  /// - Parameter quotes: whether `"` is escaped too, for text that is an attribute's.
  package static func escaped(_ text: String, quotes: Bool = false) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      case "\"" where quotes: out += "&quot;"
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}
