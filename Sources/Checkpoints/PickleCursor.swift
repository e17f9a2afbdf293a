/// Takes a pickle's bytes from front to back; every read is checked against the end.
struct PickleCursor {
  private let bytes: [UInt8]
  private let source: String
  private var position = 0

  init(bytes: [UInt8], source: String) {
    self.bytes = bytes
    self.source = source
  }

  mutating func byte() throws(CheckpointError) -> UInt8 {
    guard position < bytes.count else { throw endsEarly() }
    position += 1
    return bytes[position - 1]
  }

  mutating func take(_ count: Int) throws(CheckpointError) -> ArraySlice<UInt8> {
    guard count <= bytes.count - position else { throw endsEarly() }
    position += count
    return bytes[position - count..<position]
  }

  /// An unsigned little-endian number.
  mutating func integer(bytes count: Int) throws(CheckpointError) -> Int {
    guard let value = Int(exactly: Self.unsigned(try take(count))) else { throw endsEarly() }
    return value
  }

  /// Text up to a newline.
  mutating func line() throws(CheckpointError) -> String {
    guard let end = bytes[position...].firstIndex(of: UInt8(ascii: "\n")) else {
      throw endsEarly()
    }
    let text = try text(end - position)
    position = end + 1
    return text
  }

  /// The operand of an opcode that pushes one plain value.
  mutating func scalar(_ opcode: PickleOpcode) throws(CheckpointError) -> PickleReader.Atom {
    switch opcode {
    case .none: return .none
    case .newtrue: return .bool(true)
    case .newfalse: return .bool(false)
    case .binint1: return .int(Int(try byte()))
    case .binint2: return .int(try integer(bytes: 2))
    case .binint: return .int(Int(Int32(truncatingIfNeeded: try integer(bytes: 4))))
    case .long1: return .int(try long())
    case .binfloat:
      let littleEndian = try take(8).reversed()
      return .float(Double(bitPattern: Self.unsigned(littleEndian[...])))
    case .shortBinstring, .shortBinunicode: return .string(try text(Int(try byte())))
    case .binstring, .binunicode: return .string(try text(try integer(bytes: 4)))
    default: preconditionFailure("\(opcode) is no plain value")
    }
  }

  /// LONG1: a length and that many bytes of a signed little-endian number.
  private mutating func long() throws(CheckpointError) -> Int {
    let count = Int(try byte())
    guard count <= 8 else {
      throw .malformed(file: source, reason: "the pickle holds an integer of \(count) bytes")
    }
    let digits = try take(count)
    guard let last = digits.last else { return 0 }
    let value = Int(truncatingIfNeeded: Self.unsigned(digits))
    return last & 0x80 == 0 || count == 8 ? value : value - (1 << (8 * count))
  }

  private mutating func text(_ count: Int) throws(CheckpointError) -> String {
    guard let text = String(validating: try take(count), as: UTF8.self) else {
      throw .malformed(file: source, reason: "the pickle is damaged: text that is not UTF-8")
    }
    return text
  }

  private static func unsigned<Bytes: BidirectionalCollection<UInt8>>(_ bytes: Bytes) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private func endsEarly() -> CheckpointError {
    .malformed(file: source, reason: "the pickle ends early; fetch the file again")
  }
}
