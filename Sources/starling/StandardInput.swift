import Foundation
import Synchronization

/// The bytes of standard input as they come.
final class StandardInput {
  private var buffered: [UInt8] = []
  private(set) var hasEnded = false
  private static let interrupted = Atomic(false)

  struct ReadError: Error, CustomStringConvertible {
    let description: String
  }

  /// Makes the first interrupt (control-C) end the input instead of the process, so that what was
  /// said is still written; a second one ends the process.
  static func endOnInterrupt() {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in
      StandardInput.interrupted.store(true, ordering: .relaxed)
    }
    action.sa_flags = Int32(bitPattern: SA_RESETHAND)
    sigaction(SIGINT, &action, nil)
    sigaction(SIGTERM, &action, nil)
  }

  static func isWAV(_ prefix: [UInt8]) -> Bool {
    prefix.count >= 12
      && (prefix.starts(with: "RIFF".utf8) || prefix.starts(with: "RF64".utf8))
      && prefix[8..<12].elementsEqual("WAVE".utf8)
  }

  /// The first bytes, which stay to be read; fewer than `count` only if there are no more.
  func peek(_ count: Int) throws(ReadError) -> [UInt8] {
    while buffered.count < count {
      let bytes = try readDescriptor()
      if bytes.isEmpty { break }
      buffered += bytes
    }
    return Array(buffered.prefix(count))
  }

  /// All bytes that were peeked at.
  func takeBuffered() -> [UInt8] {
    defer { buffered = [] }
    return buffered
  }

  /// The next bytes as soon as there are any; empty at the end.
  func read() throws(ReadError) -> [UInt8] {
    guard buffered.isEmpty else { return takeBuffered() }
    let bytes = try readDescriptor()
    hasEnded = bytes.isEmpty
    return bytes
  }

  private func readDescriptor() throws(ReadError) -> [UInt8] {
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
      while true {
        if Self.interrupted.load(ordering: .relaxed) { return }
        let received = Foundation.read(STDIN_FILENO, buffer.baseAddress, buffer.count)
        if received < 0, errno == EINTR { continue }
        if received < 0 { failure = errno } else { count = received }
        return
      }
    }
    guard failure == 0 else {
      throw ReadError(
        description: "standard input: cannot be read: \(String(cString: strerror(failure)))")
    }
    return bytes
  }
}
