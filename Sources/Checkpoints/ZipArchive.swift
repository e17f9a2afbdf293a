import CZlib
import Foundation

/// The stored (uncompressed) members of a zip archive in memory, as `torch.save` writes them.
package struct ZipArchive: Sendable {
  private struct Entry: Sendable {
    var method: Int
    var flags: Int
    var checksum: Int
    var compressedSize: Int
    var size: Int
    var headerOffset: Int
  }

  /// What error messages call this archive.
  package let source: String
  /// In the order of the directory.
  package private(set) var names: [String] = []
  private var entries: [String: Entry] = [:]
  private let data: Data

  package init(_ data: Data, source: String) throws(CheckpointError) {
    self.data = data
    self.source = source
    let directory = try findDirectory()
    var offset = directory.offset
    for _ in 0..<directory.count {
      guard offset <= directory.end - 46, number(4, at: offset) == 0x0201_4b50 else {
        throw damaged("its directory is damaged")
      }
      let lengths = [28, 30, 32].map { number(2, at: offset + $0) ?? 0 }  // name, extra, comment
      let end = offset + 46 + lengths.reduce(0, +)
      guard end <= directory.end else { throw damaged("its directory is damaged") }
      let name = text(at: offset + 46, count: lengths[0])
      let extra = (offset + 46 + lengths[0])..<(offset + 46 + lengths[0] + lengths[1])
      guard entries.updateValue(try entry(at: offset, extra: extra), forKey: name) == nil else {
        throw damaged("two members are named '\(CheckpointError.printable(name))'")
      }
      names.append(name)
      offset = end
    }
  }

  /// The bytes of the member `name`, checked against their checksum; a view, not a copy.
  package func member(_ name: String) throws(CheckpointError) -> Data {
    let shown = CheckpointError.printable(name)
    guard let entry = entries[name] else { throw damaged("it has no member '\(shown)'") }
    guard entry.method == 0, entry.flags & 1 == 0, entry.size == entry.compressedSize else {
      throw damaged(
        "its member '\(shown)' is \(entry.flags & 1 != 0 ? "encrypted" : "compressed"); "
          + "torch.save stores members as they are, so save it again with torch")
    }
    guard number(4, at: entry.headerOffset) == 0x0403_4b50,
      let nameLength = number(2, at: entry.headerOffset + 26),
      let extraLength = number(2, at: entry.headerOffset + 28)
    else { throw damaged("the header of its member '\(shown)' is damaged") }
    let start = entry.headerOffset + 30 + nameLength + extraLength
    guard start <= data.count, entry.size <= data.count - start else {
      throw damaged("its member '\(shown)' reaches past the end; fetch the file again")
    }
    let first = data.startIndex + start
    let bytes = data[first..<first + entry.size]
    guard Self.checksum(bytes) == entry.checksum else {
      throw damaged("the bytes of its member '\(shown)' are damaged; fetch the file again")
    }
    return bytes
  }

  private static func checksum(_ bytes: Data) -> Int {
    bytes.withUnsafeBytes { Int(crc32_z(0, $0.bindMemory(to: UInt8.self).baseAddress, $0.count)) }
  }

  private func damaged(_ reason: String) -> CheckpointError {
    .malformed(file: source, reason: "as a zip archive, " + reason)
  }

  /// The little-endian number of `width` bytes at `offset`; nil outside the data or above Int.max.
  private func number(_ width: Int, at offset: Int) -> Int? {
    guard offset >= 0, width <= data.count, offset <= data.count - width else { return nil }
    return data.withUnsafeBytes { bytes in
      var value: UInt64 = 0
      for index in (0..<width).reversed() { value = value << 8 | UInt64(bytes[offset + index]) }
      return Int(exactly: value)
    }
  }

  private func text(at offset: Int, count: Int) -> String {
    let start = data.startIndex + offset
    return String(decoding: data[start..<start + count], as: UTF8.self)
  }
}

// The directory at the end.
extension ZipArchive {
  private struct Directory {
    var offset: Int
    var end: Int
    var count: Int
  }

  private func findDirectory() throws(CheckpointError) -> Directory {
    guard number(4, at: 0) == 0x0403_4b50 else {
      throw .malformed(
        file: source,
        reason: "not a zip archive; if it is older than torch 1.6, save it again with a newer one")
    }
    // The end record is followed by a comment of at most 65,535 bytes.
    var end = data.count - 22
    let lowest = max(0, end - 65_535)
    while end >= lowest, number(4, at: end) != 0x0605_4b50 { end -= 1 }
    guard end >= lowest, let count = number(2, at: end + 10), let size = number(4, at: end + 12),
      let offset = number(4, at: end + 16)
    else { throw damaged("it has no directory at its end; fetch the file again") }
    var directory = Directory(offset: offset, end: offset + size, count: count)
    if count == 0xFFFF || size == 0xFFFF_FFFF || offset == 0xFFFF_FFFF {
      directory = try findZip64Directory(before: end) ?? directory
    }
    guard directory.offset <= end, directory.end <= end,
      directory.count <= (directory.end - directory.offset) / 46
    else { throw damaged("its directory is damaged") }
    return directory
  }

  /// Nil if the archive only looks like zip64, with exactly 65,535 members.
  private func findZip64Directory(before end: Int) throws(CheckpointError) -> Directory? {
    guard number(4, at: end - 20) == 0x0706_4b50 else { return nil }
    guard let record = number(8, at: end - 12), number(4, at: record) == 0x0606_4b50,
      let count = number(8, at: record + 32), let size = number(8, at: record + 40),
      let offset = number(8, at: record + 48), offset <= end, size <= end - offset
    else { throw damaged("its zip64 directory is damaged") }
    return Directory(offset: offset, end: offset + size, count: count)
  }

  private func entry(at offset: Int, extra: Range<Int>) throws(CheckpointError) -> Entry {
    func field(_ width: Int, _ position: Int) -> Int { number(width, at: offset + position) ?? 0 }
    var entry = Entry(
      method: field(2, 10), flags: field(2, 8), checksum: field(4, 16),
      compressedSize: field(4, 20), size: field(4, 24), headerOffset: field(4, 42))
    // A zip64 extra field holds, in this order, those of the three that did not fit in 32 bits.
    let large = [\Entry.size, \Entry.compressedSize, \Entry.headerOffset]
      .filter { entry[keyPath: $0] == 0xFFFF_FFFF }
    if large.isEmpty { return entry }
    guard var position = zip64Field(in: extra) else { throw damaged("its directory is damaged") }
    for path in large {
      guard position <= extra.upperBound - 8, let value = number(8, at: position) else {
        throw damaged("its directory is damaged")
      }
      entry[keyPath: path] = value
      position += 8
    }
    return entry
  }

  private func zip64Field(in extra: Range<Int>) -> Int? {
    var position = extra.lowerBound
    while position <= extra.upperBound - 4 {
      if number(2, at: position) == 1 { return position + 4 }
      position += 4 + (number(2, at: position + 2) ?? 0)
    }
    return nil
  }
}
