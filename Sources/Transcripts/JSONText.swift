/// A JSON value whose keys keep the order they were given, which Foundation's encoder cannot.
package indirect enum JSONText: Sendable {
  case null
  case bool(Bool)
  case string(String)
  /// A number already written as JSON.
  case number(String)
  case array([JSONText])
  case object([(String, JSONText)])

  /// On one line: `{"a": 1, "b": [2, 3]}`.
  package var compact: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .string(let text): Self.quoted(text)
    case .number(let text): text
    case .array(let items): "[" + items.map(\.compact).joined(separator: ", ") + "]"
    case .object(let members):
      "{" + members.map { Self.quoted($0) + ": " + $1.compact }.joined(separator: ", ") + "}"
    }
  }

  /// Over several lines, two spaces a level; an object of plain values stays on one line.
  ///
  /// - Parameter margin: what stands before every line but the first.
  package func pretty(margin: String = "") -> String {
    let inner = margin + "  "
    switch self {
    case .array(let items) where !items.isEmpty:
      let lines = items.map { inner + $0.pretty(margin: inner) }
      return "[\n" + lines.joined(separator: ",\n") + "\n" + margin + "]"
    case .object(let members) where members.contains(where: { $0.1.isContainer }):
      let lines = members.map { inner + Self.quoted($0) + ": " + $1.pretty(margin: inner) }
      return "{\n" + lines.joined(separator: ",\n") + "\n" + margin + "}"
    default:
      return compact
    }
  }

  private var isContainer: Bool {
    switch self {
    case .null, .bool, .string, .number: false
    case .array, .object: true
    }
  }

  private static func quoted(_ text: String) -> String {
    var out = "\""
    out.reserveCapacity(text.utf8.count + 2)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      // JSON asks for this below U+0020 only; the others are line ends to many readers, and would
      // tear a JSON line in two.
      case "\0"..<" ", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
        let hex = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }
}
