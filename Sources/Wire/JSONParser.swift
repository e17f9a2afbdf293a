/// Reads JSON (RFC 8259) from bytes that nobody vouches for.
///
/// Foundation's parser does not tell `true` from `1` on Linux, and its depth cannot be chosen.
struct JSONParser {
  private let bytes: [UInt8]
  private let depthLimit: Int
  private var at = 0

  static func parse(_ bytes: [UInt8], depthLimit: Int) throws(WireError) -> JSONValue {
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw WireError(.malformed, "expected JSON, found bytes that are not UTF-8")
    }
    var parser = JSONParser(bytes: bytes, depthLimit: depthLimit)
    let value = try parser.value(depth: 0)
    parser.skipSpace()
    guard parser.at == bytes.count else { throw parser.failure("nothing more") }
    return value
  }

  private init(bytes: [UInt8], depthLimit: Int) {
    self.bytes = bytes
    self.depthLimit = depthLimit
  }

  private func failure(_ expected: String) -> WireError {
    WireError(.malformed, "not JSON: expected \(expected) at byte \(at)")
  }

  private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { at += 1 }
  }

  private mutating func take(_ byte: Character) -> Bool {
    guard next == byte.asciiValue else { return false }
    at += 1
    return true
  }

  private mutating func value(depth: Int) throws(WireError) -> JSONValue {
    skipSpace()
    guard let byte = next else { throw failure("a value") }
    switch byte {
    case UInt8(ascii: "{"): return try object(depth: depth + 1)
    case UInt8(ascii: "["): return try array(depth: depth + 1)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    default: return .number(try number())
    }
  }

  private mutating func word(_ text: String, _ value: JSONValue) throws(WireError) -> JSONValue {
    guard bytes[at...].starts(with: text.utf8) else { throw failure("a value") }
    at += text.utf8.count
    return value
  }

  private func check(depth: Int) throws(WireError) {
    guard depth <= depthLimit else {
      throw WireError(.malformed, "JSON nested more than \(depthLimit) deep")
    }
  }

  private mutating func array(depth: Int) throws(WireError) -> JSONValue {
    try check(depth: depth)
    at += 1
    var items: [JSONValue] = []
    skipSpace()
    if take("]") { return .array(items) }
    while true {
      items.append(try value(depth: depth))
      skipSpace()
      if take("]") { return .array(items) }
      guard take(",") else { throw failure("',' or ']'") }
    }
  }

  private mutating func object(depth: Int) throws(WireError) -> JSONValue {
    try check(depth: depth)
    at += 1
    var members: [String: JSONValue] = [:]
    skipSpace()
    if take("}") { return .object(members) }
    while true {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw failure("a key") }
      let key = try string()
      skipSpace()
      guard take(":") else { throw failure("':'") }
      members[key] = try value(depth: depth)
      skipSpace()
      if take("}") { return .object(members) }
      guard take(",") else { throw failure("',' or '}'") }
    }
  }

  private mutating func number() throws(WireError) -> Double {
    let start = at
    _ = take("-")
    let leadsWithZero = next == UInt8(ascii: "0")
    let digits = takeDigits()
    guard digits > 0, !leadsWithZero || digits == 1 else { throw failure("a value") }
    if take("."), takeDigits() == 0 { throw failure("a digit") }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      guard takeDigits() > 0 else { throw failure("a digit") }
    }
    guard let number = Double(String(decoding: bytes[start..<at], as: UTF8.self)), number.isFinite
    else { throw WireError(.malformed, "a number too large, at byte \(start)") }
    return number
  }

  private mutating func takeDigits() -> Int {
    let start = at
    while let byte = next, (0x30...0x39).contains(byte) { at += 1 }
    return at - start
  }

  private mutating func string() throws(WireError) -> String {
    at += 1
    var text: [UInt8] = []
    var start = at
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        text += bytes[start..<at]
        at += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        text += bytes[start..<at]
        at += 1
        text += Array(String(try escape()).utf8)
        start = at
      case 0..<0x20: throw failure("no control character")
      default: at += 1
      }
    }
    throw failure("a closing quote")
  }

  /// What follows a backslash.
  private mutating func escape() throws(WireError) -> Unicode.Scalar {
    let plain: [Character: Unicode.Scalar] = [
      "\"": "\"", "\\": "\\", "/": "/", "b": "\u{08}", "f": "\u{0C}", "n": "\n", "r": "\r",
      "t": "\t",
    ]
    guard let byte = next else { throw failure("an escape") }
    if byte != UInt8(ascii: "u") {
      guard let scalar = plain[Character(Unicode.Scalar(byte))] else { throw failure("an escape") }
      at += 1
      return scalar
    }
    let high = try codeUnit()
    if let scalar = Unicode.Scalar(high) { return scalar }
    guard (0xD800..<0xDC00).contains(high), take("\\"), next == UInt8(ascii: "u") else {
      throw failure("a pair of surrogates")
    }
    let low = try codeUnit()
    guard (0xDC00..<0xE000).contains(low),
      let scalar = Unicode.Scalar(0x10000 + (UInt32(high) - 0xD800) << 10 + UInt32(low) - 0xDC00)
    else { throw failure("a pair of surrogates") }
    return scalar
  }

  /// Four hexadecimal digits after a `u`.
  private mutating func codeUnit() throws(WireError) -> UInt16 {
    at += 1
    var unit: UInt16 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw failure("four hexadecimal digits")
      }
      unit = unit << 4 | UInt16(digit)
      at += 1
    }
    return unit
  }
}
