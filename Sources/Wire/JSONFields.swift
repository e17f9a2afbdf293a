/// The members of a JSON object that somebody sent, read by name and type. null is as if it were
/// not there.
struct JSONFields {
  let members: [String: JSONValue]
  /// Where the object stands in its message: `endpoint.`; empty for the message itself.
  private let path: String

  /// - Throws: `invalidValue` if `value` is no object.
  init(_ value: JSONValue, name: String = "") throws(WireError) {
    guard case .object(let members) = value else {
      throw WireError(
        .invalidValue,
        (name.isEmpty ? "the message" : "'\(name)'") + " is \(value.summary), expected an object",
        field: name.isEmpty ? nil : name)
    }
    self.members = members
    path = name.isEmpty ? "" : name + "."
  }

  /// The object that a text holds.
  init(parsing bytes: [UInt8]) throws(WireError) {
    try self.init(JSONValue(parsing: bytes))
  }

  func name(of field: String) -> String { path + field }

  /// nil if it is not there, or null.
  subscript(_ field: String) -> JSONValue? {
    guard let value = members[field], value != .null else { return nil }
    return value
  }

  func isNull(_ field: String) -> Bool { members[field] == .null }

  func wrong(_ field: String, expected: String) -> WireError {
    WireError(
      .invalidValue, "'\(path)\(field)' is \(self[field]?.summary ?? "null"), expected \(expected)",
      field: path + field)
  }

  /// - Throws: `unknownField` if there is a member without a name among `known`.
  func refuseAll(but known: [String]) throws(WireError) {
    let unknown = members.keys.filter { !known.contains($0) }.min()
    guard let unknown else { return }
    let shown = String(unknown.unicodeScalars.prefix(40).map(Character.init))
    throw WireError(
      .unknownField,
      "'\(path)\(shown)' is unknown, expected " + known.joined(separator: ", "),
      field: path + shown)
  }

  func required<Value>(_ field: String, _ value: Value?) throws(WireError) -> Value {
    guard let value else {
      throw WireError(.missingField, "'\(path)\(field)' is missing", field: path + field)
    }
    return value
  }

  func string(_ field: String, limit: Int = 4096) throws(WireError) -> String? {
    guard let value = self[field] else { return nil }
    guard case .string(let text) = value else { throw wrong(field, expected: "a text") }
    guard text.utf8.count <= limit else {
      throw WireError(
        .tooLarge, "'\(path)\(field)' has \(text.utf8.count) bytes, expected \(limit) at most",
        field: path + field)
    }
    return text
  }

  func bool(_ field: String) throws(WireError) -> Bool? {
    guard let value = self[field] else { return nil }
    guard case .bool(let flag) = value else { throw wrong(field, expected: "true or false") }
    return flag
  }

  func int(_ field: String, in range: ClosedRange<Int>) throws(WireError) -> Int? {
    guard let value = self[field] else { return nil }
    guard case .number(let number) = value, let int = Int(exactly: number), range.contains(int)
    else {
      throw wrong(field, expected: "a whole number, \(range.lowerBound) to \(range.upperBound)")
    }
    return int
  }

  func number(_ field: String, in range: ClosedRange<Double>) throws(WireError) -> Double? {
    guard let value = self[field] else { return nil }
    guard case .number(let number) = value, range.contains(number) else {
      throw wrong(field, expected: "a number, \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A text that is the raw value of a case.
  func choice<Choice: RawRepresentable & CaseIterable>(
    _ field: String, of type: Choice.Type
  ) throws(WireError) -> Choice? where Choice.RawValue == String {
    guard let value = self[field] else { return nil }
    guard case .string(let text) = value, let choice = Choice(rawValue: text) else {
      throw wrong(field, expected: Choice.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return choice
  }

  func array(_ field: String, limit: Int) throws(WireError) -> [JSONValue]? {
    guard let value = self[field] else { return nil }
    guard case .array(let items) = value else { throw wrong(field, expected: "a list") }
    guard items.count <= limit else {
      throw WireError(
        .tooLarge, "'\(path)\(field)' has \(items.count) items, expected \(limit) at most",
        field: path + field)
    }
    return items
  }

  func strings(_ field: String, limit: Int) throws(WireError) -> [String]? {
    guard let items = try array(field, limit: limit) else { return nil }
    var texts: [String] = []
    for item in items {
      guard case .string(let text) = item, text.utf8.count <= 4096 else {
        throw wrong(field, expected: "a list of texts")
      }
      texts.append(text)
    }
    return texts
  }

  func object(_ field: String) throws(WireError) -> JSONFields? {
    guard let value = self[field] else { return nil }
    return try JSONFields(value, name: path + field)
  }
}
