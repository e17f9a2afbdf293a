import Glibc

/// Copies a pipe to a temporary file, for decoders that seek. The file has no name, so that it is
/// gone with its descriptor however the process ends.
enum SpoolFile {
  /// - Parameters:
  ///   - descriptor: read to its end, not closed.
  ///   - prefix: bytes of the stream that were read before.
  ///   - name: what errors call the stream.
  static func copy(
    _ descriptor: Int32, prefix: [UInt8], name: String
  ) throws(AudioError) -> FileDescriptor {
    let folder = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    let file = try create(in: folder, name: name)
    var block = prefix
    while true {
      if let code = write(block, to: file.raw) {
        throw .spoolFailed(file: name, folder: folder, reason: FileDescriptor.message(code))
      }
      block = try read(descriptor, name: name)
      if block.isEmpty { return file }
    }
  }

  private static func create(in folder: String, name: String) throws(AudioError) -> FileDescriptor {
    var path = (folder + "/starling-XXXXXX").utf8CString.map { $0 }
    let raw = mkstemp(&path)
    guard raw >= 0 else {
      throw .spoolFailed(file: name, folder: folder, reason: FileDescriptor.message(errno))
    }
    unlink(path)
    _ = fcntl(raw, F_SETFD, FD_CLOEXEC)
    return FileDescriptor(owning: raw, name: name)
  }

  /// The next bytes, none at the end.
  private static func read(_ descriptor: Int32, name: String) throws(AudioError) -> [UInt8] {
    var block = [UInt8](repeating: 0, count: 65_536)
    while true {
      let got = Glibc.read(descriptor, &block, block.count)
      if got >= 0 {
        block.removeLast(block.count - got)
        return block
      }
      switch errno {
      case EINTR: continue
      case EAGAIN:
        // Some terminals and parents hand over a non-blocking standard input.
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        poll(&waiting, 1, -1)
      default: throw FileDescriptor.error(errno, name: name)
      }
    }
  }

  /// The error's number, nil when all was written.
  private static func write(_ block: [UInt8], to descriptor: Int32) -> Int32? {
    var written = 0
    while written < block.count {
      let count = block.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress! + written, block.count - written)
      }
      if count < 0, errno == EINTR { continue }
      if count < 0 { return errno }
      written += count
    }
    return nil
  }
}
