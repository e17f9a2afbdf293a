import Foundation

/// A text file, checked: UTF-8, no binary, no endless lines.
struct TextFile {
  /// Bytes of a line at most. A book of a million words is shorter.
  static let lineLimit = 32 << 20

  /// As the user named it; "-" for standard input.
  let name: String
  let text: String

  init(_ path: String) throws(EvaluationError) {
    name = path
    var bytes = try Self.read(path)
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw EvaluationError(
        path, line: 1,
        "expected UTF-8 text, found UTF-16; convert it: iconv -f UTF-16 -t UTF-8 \(path)")
    }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
    try Self.check(bytes, path)
    text = String(decoding: bytes, as: UTF8.self)
  }

  /// Lines with their numbers from 1, without their ends (LF or CRLF).
  var lines: [(number: Int, text: Substring)] {
    var lines: [(Int, Substring)] = []
    let utf8 = text.utf8
    var start = utf8.startIndex
    var number = 0
    while start < utf8.endIndex {
      let end = utf8[start...].firstIndex(of: UInt8(ascii: "\n")) ?? utf8.endIndex
      var stop = end
      if stop > start, utf8[utf8.index(before: stop)] == UInt8(ascii: "\r") {
        stop = utf8.index(before: stop)
      }
      number += 1
      lines.append((number, text[start..<stop]))
      start = end < utf8.endIndex ? utf8.index(after: end) : end
    }
    return lines
  }

  private static func read(_ path: String) throws(EvaluationError) -> [UInt8] {
    let file = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      throw EvaluationError(path, "cannot be opened: \(String(cString: strerror(errno)))")
    }
    defer { close(file) }
    var bytes: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = block.withUnsafeMutableBytes { Foundation.read(file, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        throw EvaluationError(path, "cannot be read: \(String(cString: strerror(errno)))")
      }
      if count == 0 { return bytes }
      bytes += block[..<count]
    }
  }

  private static func check(_ bytes: [UInt8], _ path: String) throws(EvaluationError) {
    var line = 1
    var start = 0
    for (index, byte) in bytes.enumerated() {
      if byte == 0 {
        throw EvaluationError(
          path, line: line, "expected text, found a zero byte; this looks like a binary file")
      }
      guard byte == UInt8(ascii: "\n") || index == bytes.count - 1 else { continue }
      guard index - start <= lineLimit else {
        throw EvaluationError(
          path, line: line, "expected lines of at most \(lineLimit >> 20) MiB, found a longer one")
      }
      if byte == UInt8(ascii: "\n") { (line, start) = (line + 1, index + 1) }
    }
    guard String(validating: bytes, as: UTF8.self) == nil else { return }
    line = 1
    for part in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      guard String(validating: part, as: UTF8.self) != nil else { break }
      line += 1
    }
    throw EvaluationError(
      path, line: line,
      "expected UTF-8 text, found other bytes; if it is Latin-1, convert it: "
        + "iconv -f LATIN1 -t UTF-8 \(path)")
  }
}
