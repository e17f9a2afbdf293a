/// What extension headers say about the next member.
struct TarOverride {
  var name: String?
  var size: Int?

  /// pax records: "length key=value\n", the length counting the whole record.
  mutating func apply(_ records: [UInt8], path: String) throws(CheckpointError) {
    let damaged = CheckpointError.malformed(file: path, reason: "a pax header is damaged")
    var rest = records[...]
    while !rest.isEmpty {
      let digits = rest.prefix { $0 != UInt8(ascii: " ") }
      guard digits.count < 10, let length = Int(String(decoding: digits, as: UTF8.self)),
        length > digits.count + 1, length <= rest.count
      else { throw damaged }
      let record = rest.prefix(length).dropFirst(digits.count + 1).dropLast()
      rest = rest.dropFirst(length)
      let key = String(decoding: record.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
      let value = String(decoding: record.dropFirst(key.utf8.count + 1), as: UTF8.self)
      switch key {
      case "path": name = value
      case "size":
        guard let bytes = Int(value), bytes >= 0 else { throw damaged }
        size = bytes
      case _ where key.hasPrefix("GNU.sparse."):
        throw .malformed(file: path, reason: "sparse tar members are not supported; repack it")
      default: break
      }
    }
  }
}
