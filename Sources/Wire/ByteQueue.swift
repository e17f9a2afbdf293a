/// Bytes that have come and are not yet read.
struct ByteQueue {
  private var bytes: [UInt8] = []
  /// Where the unread bytes begin.
  private var head = 0
  /// Unread bytes known to hold no line end, so that none is looked at twice.
  private var scanned = 0

  var count: Int { bytes.count - head }

  mutating func append(_ new: [UInt8]) {
    if head == bytes.count {
      bytes = new
      head = 0
    } else {
      bytes += new
    }
  }

  /// The next `count` bytes, left where they are; nil until they are there.
  func peek(_ count: Int) -> ArraySlice<UInt8>? {
    self.count >= count ? bytes[head..<head + count] : nil
  }

  /// The next `count` bytes; nil until they are there.
  mutating func take(_ count: Int) -> [UInt8]? {
    guard self.count >= count else { return nil }
    let taken = Array(bytes[head..<head + count])
    head += count
    scanned = 0
    compact()
    return taken
  }

  mutating func takeAll() -> [UInt8] { take(count) ?? [] }

  /// The next line without its line end; nil until it is there.
  ///
  /// - Throws: `tooLarge` as soon as the line has more than `limit` bytes.
  mutating func takeLine(limit: Int) throws(WireError) -> [UInt8]? {
    let newline = bytes[(head + scanned)...].firstIndex(of: UInt8(ascii: "\n"))
    guard (newline ?? bytes.count) - head <= limit else {
      throw WireError(.tooLarge, "a line of more than \(limit) bytes, expected a shorter one")
    }
    guard let newline else {
      scanned = count
      return nil
    }
    var line = take(newline - head + 1) ?? []
    line.removeLast()
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    return line
  }

  /// Where `pattern` begins, or where it may begin once more bytes have come: the bytes before
  /// `offset` hold none.
  func place(of pattern: [UInt8]) -> (offset: Int, isWhole: Bool) {
    bytes.withUnsafeBufferPointer { all in
      let unread = all[head...]
      for start in unread.indices where unread[start] == pattern[0] {
        let there = unread[start...].prefix(pattern.count)
        if pattern.starts(with: there) {
          return (start - head, there.count == pattern.count)
        }
      }
      return (unread.count, false)
    }
  }

  private mutating func compact() {
    guard head > 4096, head > bytes.count / 2 else { return }
    bytes.removeFirst(head)
    head = 0
  }
}
