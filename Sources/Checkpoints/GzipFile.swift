import CZlib
import Foundation

/// A file read front to back, through gunzip if it is compressed and as it stands if not.
struct GzipFile: ~Copyable {
  private let handle: gzFile
  private let path: String

  init(path: String) throws(CheckpointError) {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw .unreadable(file: path, reason: "no such file")
    }
    if isDirectory.boolValue {
      throw .unreadable(file: path, reason: "it is a folder; name a .nemo file")
    }
    guard let handle = gzopen(path, "rb") else {
      throw .unreadable(file: path, reason: String(cString: strerror(errno)))
    }
    gzbuffer(handle, 1 << 17)
    self.handle = handle
    self.path = path
  }

  deinit { gzclose(handle) }

  /// Fills `buffer` from its start and returns the bytes read: fewer than asked for only at the
  /// end of the file.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws(CheckpointError) -> Int {
    var filled = 0
    while filled < buffer.count {
      let part = UInt32(min(buffer.count - filled, 1 << 24))
      let count = gzread(handle, buffer.baseAddress! + filled, part)
      if count > 0 { filled += Int(count) }
      if count < Int32(part) {
        try checkEnd()
        break
      }
    }
    return filled
  }

  /// Tells the end of the file from a failure, after a short read.
  private func checkEnd() throws(CheckpointError) {
    var code: Int32 = 0
    var message = gzerror(handle, &code).map { String(cString: $0) } ?? ""
    // zlib puts the path first, as our own messages do.
    if message.hasPrefix(path + ": ") { message.removeFirst(path.count + 2) }
    switch code {
    case Z_OK, Z_STREAM_END:
      return
    case Z_BUF_ERROR:
      throw TarArchive.truncated(path)
    case Z_ERRNO:
      throw .unreadable(file: path, reason: String(cString: strerror(errno)))
    default:
      throw .malformed(
        file: path,
        reason: "the gzip data is damaged (\(CheckpointError.printable(message))); fetch it again")
    }
  }
}
