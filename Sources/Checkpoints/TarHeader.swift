/// The 512-byte header before each member of a tar archive.
struct TarHeader {
  enum Kind: Equatable {
    case file
    /// Directories, links and devices: nothing follows the header.
    case empty
    /// GNU: the data is the next member's name.
    case longName
    /// pax: the data is a list of records about the next member.
    case extended
    /// Data that says nothing about names or sizes: pax global records, GNU long link targets.
    case ignored
    case unknown(UInt8)
  }

  static let blockSize = 512

  let name: String
  let size: Int
  let kind: Kind

  /// Nil if the checksum or a number is wrong.
  init?(_ block: [UInt8]) {
    precondition(block.count == Self.blockSize)
    guard let stored = Self.number(block[148..<156]), Self.checksums(block).contains(stored),
      let size = Self.number(block[124..<136])
    else { return nil }
    self.size = size
    let name = Self.text(block[0..<100])
    let isUstar = block[257..<262].elementsEqual("ustar".utf8)
    // The GNU variant ("ustar  ") keeps times where ustar keeps the folder part of the name.
    let prefix = isUstar && block[262] == 0 ? Self.text(block[345..<500]) : ""
    self.name = prefix.isEmpty ? name : prefix + "/" + name
    kind = Self.kind(block[156])
  }

  private static func kind(_ flag: UInt8) -> Kind {
    switch flag {
    case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .file
    case UInt8(ascii: "1")...UInt8(ascii: "6"): .empty
    case UInt8(ascii: "L"): .longName
    case UInt8(ascii: "x"): .extended
    case UInt8(ascii: "g"), UInt8(ascii: "K"): .ignored
    default: .unknown(flag)
    }
  }

  /// Sum of the bytes with the checksum's own taken as spaces; some old writers summed them signed.
  private static func checksums(_ block: [UInt8]) -> [Int] {
    var unsigned = 0
    var signed = 0
    for (index, byte) in block.enumerated() {
      let value = (148..<156).contains(index) ? UInt8(ascii: " ") : byte
      unsigned += Int(value)
      signed += Int(Int8(bitPattern: value))
    }
    return [unsigned, signed]
  }

  /// An octal number among spaces and zero bytes, or GNU's big-endian form for large ones.
  static func number(_ field: ArraySlice<UInt8>) -> Int? {
    if let first = field.first, first & 0x80 != 0 {
      guard first == 0x80 else { return nil }
      var value: UInt64 = 0
      for byte in field.dropFirst() {
        guard value >> 55 == 0 else { return nil }
        value = value << 8 | UInt64(byte)
      }
      return Int(exactly: value)
    }
    let padding: Set<UInt8> = [0, UInt8(ascii: " ")]
    let digits = field.drop(while: padding.contains).prefix { !padding.contains($0) }
    if digits.isEmpty { return 0 }
    return Int(String(decoding: digits, as: UTF8.self), radix: 8).flatMap { $0 < 0 ? nil : $0 }
  }

  static func text(_ field: ArraySlice<UInt8>) -> String {
    String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
  }
}
