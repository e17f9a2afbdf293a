import Foundation

/// A plain or gzip-compressed tar archive, read once from front to back into memory.
///
/// Nothing is ever written to disk, and a name that points outside the archive is refused.
package struct TarArchive: Sendable {
  package struct Member: Sendable {
    /// Without a leading "./".
    package let name: String
    /// Bytes.
    package let size: Int
    /// Nil for a member that nobody asked to keep.
    package let data: Data?
  }

  package let path: String
  package private(set) var members: [Member] = []

  private static let maximumMembers = 100_000
  /// Names and pax records longer than this are an attack or damage.
  private static let maximumHeaderData = 1 << 20

  /// Reads the archive at `path`, keeping the data of the members whose name `keeping` accepts.
  ///
  /// - Parameter limit: the most bytes that all members may have together.
  package init(
    path: String, limit: Int = 8 << 30, keeping: (String) -> Bool
  ) throws(CheckpointError) {
    self.path = path
    let file = try GzipFile(path: path)
    var total = 0
    var names = Set<String>()
    var override = TarOverride()
    var isFirst = true
    while let header = try nextHeader(file, isFirst: isFirst) {
      isFirst = false
      let size = header.kind == .file ? override.size ?? header.size : header.size
      if header.kind != .empty { total = try checkTotal(total, adding: size, limit: limit) }
      switch header.kind {
      case .longName:
        let name = try headerData(file, size: size)
        override.name = TarHeader.text(name[...])
      case .extended:
        try override.apply(try headerData(file, size: size), path: path)
      case .ignored:
        try skip(file, size: size)
      case .file:
        let name = try normalized(override.name ?? header.name)
        guard names.insert(name).inserted else {
          throw .malformed(file: path, reason: "two members are named '\(printable(name))'")
        }
        let data = keeping(name) ? try read(file, size: size) : nil
        if data == nil { try skip(file, size: size) }
        members.append(Member(name: name, size: size, data: data))
        override = TarOverride()
      case .empty:
        override = TarOverride()
      case .unknown(let flag):
        throw .malformed(
          file: path,
          reason: "a tar member of unknown type \(flag), named '\(printable(header.name))'")
      }
      guard members.count <= Self.maximumMembers else {
        throw .malformed(file: path, reason: "more than \(Self.maximumMembers) members")
      }
    }
    try drain(file, limit: limit)
  }

  /// The data of the member `name`, if it is there and was kept.
  package func data(_ name: String) -> Data? {
    members.first { $0.name == name }?.data
  }

  static func truncated(_ path: String) -> CheckpointError {
    .malformed(file: path, reason: "the archive ends early; fetch the file again")
  }

  private func printable(_ text: String) -> String { CheckpointError.printable(text) }

  private func checkTotal(
    _ total: Int, adding size: Int, limit: Int
  ) throws(CheckpointError) -> Int {
    guard size <= limit - total else {
      throw .malformed(file: path, reason: "the members hold more than \(limit) bytes")
    }
    return total + size
  }

  /// "./a/./b" becomes "a/b".
  private func normalized(_ name: String) throws(CheckpointError) -> String {
    let parts = name.split(separator: "/").filter { $0 != "." }
    guard !name.hasPrefix("/"), !parts.contains(".."), !parts.isEmpty else {
      throw .malformed(
        file: path, reason: "the member name '\(printable(name))' leaves the archive; refused")
    }
    return parts.joined(separator: "/")
  }
}

// Reading blocks.
extension TarArchive {
  /// Nil at the block of zeros that ends an archive.
  private func nextHeader(
    _ file: borrowing GzipFile, isFirst: Bool
  ) throws(CheckpointError) -> TarHeader? {
    let block = try bytes(file, count: TarHeader.blockSize)
    if block.isEmpty, isFirst { throw .malformed(file: path, reason: "the file is empty") }
    guard block.count == TarHeader.blockSize else {
      throw isFirst ? notTar() : Self.truncated(path)
    }
    if block.allSatisfy({ $0 == 0 }) { return nil }
    guard let header = TarHeader(block) else {
      throw isFirst
        ? notTar() : .malformed(file: path, reason: "a tar header is damaged; fetch the file again")
    }
    return header
  }

  private func notTar() -> CheckpointError {
    .malformed(file: path, reason: "not a tar archive, so not a .nemo file")
  }

  private func bytes(
    _ file: borrowing GzipFile, count: Int
  ) throws(CheckpointError) -> [UInt8] {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
    defer { buffer.deallocate() }
    let filled = try file.read(into: buffer)
    return [UInt8](buffer[..<filled])
  }

  private func headerData(
    _ file: borrowing GzipFile, size: Int
  ) throws(CheckpointError) -> [UInt8] {
    guard size <= Self.maximumHeaderData else {
      throw .malformed(file: path, reason: "a tar extension header of \(size) bytes")
    }
    return [UInt8](try read(file, size: size))
  }

  /// Reads a member's data and the padding to the next block. Memory grows with the bytes that
  /// are really there, not with what a damaged header promises.
  private func read(_ file: borrowing GzipFile, size: Int) throws(CheckpointError) -> Data {
    var data = Data()
    try forEachPart(file, size: size) { data.append(contentsOf: $0) }
    return data
  }

  private func skip(_ file: borrowing GzipFile, size: Int) throws(CheckpointError) {
    try forEachPart(file, size: size) { _ in }
  }

  private func forEachPart(
    _ file: borrowing GzipFile, size: Int, _ body: (Slice<UnsafeMutableRawBufferPointer>) -> Void
  ) throws(CheckpointError) {
    let padding = (TarHeader.blockSize - size % TarHeader.blockSize) % TarHeader.blockSize
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(max(size, TarHeader.blockSize), 1 << 22), alignment: 16)
    defer { buffer.deallocate() }
    var left = size
    while left > 0 {
      let part = min(left, buffer.count)
      guard try file.read(into: .init(rebasing: buffer[..<part])) == part else {
        throw Self.truncated(path)
      }
      body(buffer[..<part])
      left -= part
    }
    guard try file.read(into: .init(rebasing: buffer[..<padding])) == padding else {
      throw Self.truncated(path)
    }
  }

  /// Reads past the end of the archive, so that gzip checks its checksum.
  private func drain(_ file: borrowing GzipFile, limit: Int) throws(CheckpointError) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    var left = limit
    while left > 0 {
      let count = try file.read(into: buffer)
      if count < buffer.count { return }
      left -= count
    }
  }
}
