/// A JSON value that somebody sent. Of a key that is there twice, the last counts.
public indirect enum JSONValue: Equatable, Sendable {
  case null
  case bool(Bool)
  /// Always finite.
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// Reads one value, and nothing after it.
  ///
  /// - Parameter depthLimit: how many arrays and objects may lie in each other.
  /// - Throws: `malformed`.
  public init(parsing bytes: [UInt8], depthLimit: Int = 32) throws(WireError) {
    self = try JSONParser.parse(bytes, depthLimit: depthLimit)
  }

  /// What it is, short, for messages.
  var summary: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .number(let value): Int(exactly: value).map(String.init) ?? "\(value)"
    case .string(let text): "'\(text.unicodeScalars.prefix(40).map(String.init).joined())'"
    case .array: "a list"
    case .object: "an object"
    }
  }
}
