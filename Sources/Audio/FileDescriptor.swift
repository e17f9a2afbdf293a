import Glibc

/// An open file, closed with the last reference.
final class FileDescriptor {
  let raw: Int32
  let name: String

  /// Takes over `raw`; `name` is what errors call the file.
  init(owning raw: Int32, name: String) {
    self.raw = raw
    self.name = name
  }

  deinit { close(raw) }

  convenience init(reading path: String) throws(AudioError) {
    // The C string would silently end at the NUL and name another file.
    guard !path.utf8.contains(0) else { throw .fileNotFound(file: path) }
    let raw = open(path, O_RDONLY | O_CLOEXEC)
    if raw < 0 { throw Self.error(errno, name: path) }
    self.init(owning: raw, name: path)
  }

  func status() throws(AudioError) -> stat {
    var status = stat()
    if fstat(raw, &status) != 0 { throw Self.error(errno, name: name) }
    return status
  }

  /// Up to `count` bytes from `offset`; fewer only at the end.
  func read(_ count: Int, at offset: Int) throws(AudioError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let got = bytes.withUnsafeMutableBytes {
        pread(raw, $0.baseAddress! + filled, count - filled, off_t(offset + filled))
      }
      if got < 0, errno == EINTR { continue }
      if got < 0 { throw Self.error(errno, name: name) }
      if got == 0 { break }
      filled += got
    }
    bytes.removeLast(count - filled)
    return bytes
  }

  static func error(_ code: Int32, name: String) -> AudioError {
    switch code {
    case ENOENT, ENOTDIR: .fileNotFound(file: name)
    case EISDIR: .isFolder(file: name)
    case EACCES, EPERM: .permissionDenied(file: name)
    default: .readFailed(file: name, reason: message(code))
    }
  }

  /// `strerror_r`, since `strerror` shares one buffer among threads.
  static func message(_ code: Int32) -> String {
    var text = [CChar](repeating: 0, count: 256)
    _ = strerror_r(code, &text, text.count)
    return text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
  }
}
