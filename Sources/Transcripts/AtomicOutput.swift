import Foundation

/// Writes whole files: a reader, or a run begun after a crash, sees the old content or the new.
public enum AtomicOutput {
  /// Writes `text` as UTF-8 to `path`, making the folders it needs.
  ///
  /// The text goes to a temporary file in the same folder, reaches the disk, and takes the place
  /// of whatever file or link was at `path`. On an error the old file is untouched and the
  /// temporary file removed; folders that were made stay.
  public static func write(_ text: String, to path: String) throws(OutputError) {
    try refuseSpecialFile(path)
    let folder = PathName.folder(path)
    try makeFolder(folder, for: path)
    let temporary = PathName.join(folder, temporaryName())
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
    guard file >= 0 else { throw OutputError(path: path, errno: errno, at: folder) }
    do throws(OutputError) {
      try fill(file, with: text, for: path)
      guard rename(temporary, path) == 0 else {
        throw OutputError(path: path, errno: errno, at: path)
      }
    } catch {
      unlink(temporary)
      throw error
    }
    syncFolder(folder)
  }

  /// Throws if a folder is not there and plainly cannot be made, or is there and cannot be written
  /// to, so that hours of work are not done in vain. Changes nothing.
  public static func checkFolder(_ path: String) throws(OutputError) {
    var nearest = path
    var found = stat()
    while stat(nearest, &found) != 0 {
      guard errno == ENOENT || errno == ENOTDIR else {
        throw OutputError(path: path, errno: errno, at: nearest)
      }
      let parent = PathName.folder(nearest)
      if parent == nearest || parent.isEmpty { return }
      nearest = parent
    }
    guard found.st_mode & S_IFMT == S_IFDIR else {
      throw OutputError(path: path, reason: .notADirectory(nearest))
    }
    guard access(nearest, W_OK | X_OK) == 0 else {
      throw OutputError(path: path, errno: errno, at: nearest)
    }
  }

  /// Renaming would replace a device such as /dev/null by a file, for everyone.
  private static func refuseSpecialFile(_ path: String) throws(OutputError) {
    var found = stat()
    guard lstat(path, &found) == 0 else { return }
    switch found.st_mode & S_IFMT {
    case S_IFREG, S_IFLNK: return
    case S_IFDIR: throw OutputError(path: path, reason: .isADirectory)
    default: throw OutputError(path: path, reason: .notARegularFile)
    }
  }

  private static func makeFolder(_ folder: String, for path: String) throws(OutputError) {
    guard !folder.isEmpty else { return }
    if mkdir(folder, 0o777) == 0 { return }
    var code = errno
    if code == ENOENT {
      let parent = PathName.folder(folder)
      guard parent != folder else { throw OutputError(path: path, errno: code, at: folder) }
      try makeFolder(parent, for: path)
      if mkdir(folder, 0o777) == 0 { return }
      code = errno
    }
    var found = stat()
    if stat(folder, &found) == 0 {
      // Whatever mkdir says of a folder that is there (it may be on a read-only system), the
      // file itself will tell.
      guard found.st_mode & S_IFMT != S_IFDIR else { return }
      throw OutputError(path: path, reason: .notADirectory(folder))
    }
    // A link that leads nowhere exists for mkdir and not for stat.
    if code == EEXIST { throw OutputError(path: path, reason: .notADirectory(folder)) }
    if code == ENOTDIR { try makeFolder(PathName.folder(folder), for: path) }
    throw OutputError(path: path, errno: code, at: folder)
  }

  /// Writes everything, waits until it is on the disk, and closes the file in any case.
  private static func fill(
    _ file: Int32, with text: String, for path: String
  ) throws(OutputError) {
    var text = text
    var code = text.withUTF8 { writeAll($0, to: file) }
    // Some file systems cannot sync; the text is written all the same.
    if code == 0, fsync(file) != 0, errno != EINVAL, errno != ENOTSUP { code = errno }
    // Network file systems report a full disk only here.
    if close(file) != 0, code == 0, errno != EINTR { code = errno }
    guard code == 0 else { throw OutputError(path: path, errno: code, at: path) }
  }

  /// Returns 0 or the `errno`.
  private static func writeAll(_ bytes: UnsafeBufferPointer<UInt8>, to file: Int32) -> Int32 {
    var rest = UnsafeRawBufferPointer(bytes)
    while !rest.isEmpty {
      let count = Foundation.write(file, rest.baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        return errno
      }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }
    return 0
  }

  /// Makes the renaming itself last; no harm where a file system cannot.
  private static func syncFolder(_ folder: String) {
    let handle = open(folder.isEmpty ? "." : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard handle >= 0 else { return }
    fsync(handle)
    close(handle)
  }

  /// Short, because the whole name of a long output plus anything may be too long for a name.
  private static func temporaryName() -> String {
    ".starling-\(getpid())-\(String(UInt64.random(in: .min ... .max), radix: 36)).tmp"
  }
}
