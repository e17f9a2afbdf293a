import Foundation

/// Why a file could not be written.
public struct OutputError: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Reason: Equatable, Sendable {
    case permissionDenied
    case readOnlyFileSystem
    case noSpace
    /// The path goes through this, which is not a folder.
    case notADirectory(String)
    /// A folder stands where the file should go.
    case isADirectory
    /// A device, pipe or socket stands where the file should go.
    case notARegularFile
    /// Any other error, by its `errno`.
    case system(Int32)
  }

  /// The file that was to be written.
  public let path: String
  public let reason: Reason

  public init(path: String, reason: Reason) {
    self.path = path
    self.reason = reason
  }

  /// - Parameter place: the folder or file the failed call was about.
  init(path: String, errno code: Int32, at place: String) {
    let reason: Reason =
      switch code {
      case EACCES, EPERM: .permissionDenied
      case EROFS: .readOnlyFileSystem
      case ENOSPC, EDQUOT: .noSpace
      case ENOTDIR: .notADirectory(place)
      case EISDIR: .isADirectory
      default: .system(code)
      }
    self.init(path: path, reason: reason)
  }

  /// One line: the path and the reason.
  public var description: String {
    let why =
      switch reason {
      case .permissionDenied: "permission denied"
      case .readOnlyFileSystem: "the file system is read-only"
      case .noSpace: "no space left on the device, or the quota is used up"
      case .notADirectory(let place): "\(PathName.quoted(place)) is not a folder"
      case .isADirectory: "there is a folder of that name"
      case .notARegularFile: "it exists and is not a regular file"
      case .system(let code): String(cString: strerror(code))
      }
    return "cannot write \(PathName.quoted(path)): \(why)"
  }
}
