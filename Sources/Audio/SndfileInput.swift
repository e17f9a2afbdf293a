import CSndfile
import Glibc

/// The bytes of an open file, as the callbacks through which libsndfile reads. (`sf_open_fd` closes
/// the descriptor when it fails, whatever it is told, and by then it may be another file's.)
final class SndfileInput {
  private let file: FileDescriptor
  private let size: Int
  /// What libsndfile is told the size to be.
  private let statedSize: Int
  private var position = 0

  /// - Parameter overstating: how many times larger the file is said to be than its `size`.
  init(_ file: FileDescriptor, size: Int, overstating: Int = 1) {
    self.file = file
    self.size = size
    statedSize = size.multipliedReportingOverflow(by: overstating).partialValue
  }

  /// The handle, which must be closed before this object goes; nil where libsndfile fails.
  func open(_ info: inout SF_INFO) -> OpaquePointer? {
    position = 0
    var callbacks = SF_VIRTUAL_IO(
      get_filelen: { sf_count_t(SndfileInput.from($0).statedSize) },
      seek: { sf_count_t(SndfileInput.from($2).seek(Int($0), whence: $1)) },
      read: { sf_count_t(SndfileInput.from($2).read($0, Int($1))) },
      write: { _, _, _ in 0 },
      tell: { sf_count_t(SndfileInput.from($0).position) })
    let context = Unmanaged.passUnretained(self).toOpaque()
    guard let handle = sf_open_virtual(&callbacks, Int32(SFM_READ), &info, context) else {
      return nil
    }
    guard info.channels > 0 else {
      sf_close(handle)
      return nil
    }
    return handle
  }

  private static func from(_ context: UnsafeMutableRawPointer?) -> SndfileInput {
    Unmanaged<SndfileInput>.fromOpaque(context!).takeUnretainedValue()
  }

  private func seek(_ offset: Int, whence: Int32) -> Int {
    let start = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? position : statedSize
    let (target, overflow) = start.addingReportingOverflow(offset)
    // Damaged headers make libsndfile seek anywhere.
    guard !overflow, target >= 0 else { return -1 }
    position = target
    return position
  }

  private func read(_ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    guard let bytes, count > 0 else { return 0 }
    if statedSize > size, position == statedSize - SndfileInput.id3v1Size {
      // mpg123 looks for a tag at the end; the end that it was told of holds none.
      bytes.initializeMemory(as: UInt8.self, repeating: 0, count: count)
      position += count
      return count
    }
    while true {
      let got = pread(file.raw, bytes, count, off_t(position))
      if got < 0, errno == EINTR { continue }
      position += max(0, got)
      return max(0, got)
    }
  }

  private static let id3v1Size = 128
}
