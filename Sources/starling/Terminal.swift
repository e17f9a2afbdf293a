import ArgumentParser
import Foundation

/// Standard output and error as this process was given them.
enum Terminal {
  static let outputIsTerminal = isatty(STDOUT_FILENO) == 1
  static let errorIsTerminal = isatty(STDERR_FILENO) == 1

  /// Columns of the terminal behind standard error or output; 80 where it does not say.
  static var width: Int {
    var size = winsize()
    for descriptor in [STDERR_FILENO, STDOUT_FILENO]
    where ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 {
      return Int(size.ws_col)
    }
    return 80
  }

  /// One line about the run, on standard error.
  static func log(_ message: String) { write("starling: \(message)\n", to: STDERR_FILENO) }

  /// Logs `message` and gives back what a command throws to end with exit code 1.
  static func failure(_ message: String) -> ExitCode {
    log(message)
    return .failure
  }

  /// Logs an error and gives back what a command throws to end with exit code 1.
  static func failure(_ error: any Error) -> ExitCode { failure("\(error)") }

  static func print(_ text: String) throws(OutputClosed) {
    guard write(text, to: STDOUT_FILENO) else { throw OutputClosed() }
  }

  static func printError(_ text: String) { write(text, to: STDERR_FILENO) }

  /// Writes all of `text` at once, past any buffer: results are read as they come.
  @discardableResult
  private static func write(_ text: String, to descriptor: Int32) -> Bool {
    var text = text
    return text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)[...]
      while !rest.isEmpty {
        let count = Foundation.write(
          descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
      }
      return true
    }
  }
}

/// Standard output takes nothing more: the disk is full or the reader is gone.
struct OutputClosed: Error, CustomStringConvertible {
  let description = "standard output: cannot be written: \(String(cString: strerror(errno)))"
}
