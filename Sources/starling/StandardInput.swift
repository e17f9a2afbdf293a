import Audio
import Foundation
import Synchronization

/// The bytes of standard input as they come.
final class StandardInput {
  private var buffered: [UInt8] = []
  private(set) var hasEnded = false
  /// Bytes that had come before the interrupt and are still to be read; nil before it.
  private var bytesBeforeInterrupt: Int?
  /// The ends of a pipe in which a byte ends the input. Unlike a flag, it is seen even if the
  /// signal comes between a look and the wait for the next bytes. -1 while signals are not caught.
  private static let interruptReader = Atomic<Int32>(-1)
  private static let interruptWriter = Atomic<Int32>(-1)

  struct ReadError: Error, CustomStringConvertible {
    let description: String
  }

  /// Makes the first interrupt (control-C) end the input instead of the process, so that what was
  /// said is still written; a second one ends the process. What a pipe holds at the interrupt is
  /// still read; of a file the rest is not.
  static func endOnInterrupt() {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return }
    for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
    interruptReader.store(ends[0], ordering: .relaxed)
    interruptWriter.store(ends[1], ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in
      let code = errno
      write(StandardInput.interruptWriter.load(ordering: .relaxed), "!", 1)
      errno = code
    }
    action.sa_flags = Int32(bitPattern: SA_RESETHAND)
    sigaction(SIGINT, &action, nil)
    sigaction(SIGTERM, &action, nil)
  }

  static func isWAV(_ prefix: [UInt8]) -> Bool {
    prefix.count >= 12
      && (["RIFF", "RF64", "BW64"].contains { prefix.starts(with: $0.utf8) })
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

  /// The name of the container that the input holds, if it is one that cannot be decoded as it
  /// comes. A few bytes tell; only what looks like MP3 waits for more, since raw samples may.
  func containerName() throws(ReadError) -> String? {
    guard AudioByteStream.containerName(of: try peek(12)) != nil else { return nil }
    return AudioByteStream.containerName(of: try peek(AudioByteStream.containerPrefixLength))
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
    // Whatever hears a piece holds buffers of its length: these are half a second of 16 kHz.
    let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 14) { buffer, count in
      while true {
        if Self.waitForBytesOrInterrupt() {
          // Fewer than before if somebody else reads there too: nothing is waited for any more.
          bytesBeforeInterrupt = min(bytesBeforeInterrupt ?? .max, Self.bytesInPipe())
        }
        let wanted = min(buffer.count, bytesBeforeInterrupt ?? .max)
        if wanted == 0 { return }
        let received = Foundation.read(STDIN_FILENO, buffer.baseAddress, wanted)
        // Some parents hand over a non-blocking standard input.
        if received < 0, errno == EINTR || errno == EAGAIN { continue }
        if received < 0 { failure = errno } else { count = received }
        bytesBeforeInterrupt? -= count
        return
      }
    }
    guard failure == 0 else {
      throw ReadError(
        description: "'standard input': cannot be read: \(String(cString: strerror(failure)))")
    }
    return bytes
  }

  /// - Returns: whether the input has been interrupted; otherwise reading will not wait.
  private static func waitForBytesOrInterrupt() -> Bool {
    // poll(2) passes over a negative descriptor.
    var waiting = [
      pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0),
      pollfd(
        fd: interruptReader.load(ordering: .relaxed), events: Int16(POLLIN), revents: 0),
    ]
    while poll(&waiting, 2, -1) < 0, errno == EINTR {}
    return waiting[1].revents != 0
  }

  /// Bytes that can be read without waiting; 0 of a file, which holds them all from the start.
  private static func bytesInPipe() -> Int {
    var status = stat()
    guard fstat(STDIN_FILENO, &status) == 0, status.st_mode & S_IFMT != S_IFREG else { return 0 }
    var count: Int32 = 0
    return ioctl(STDIN_FILENO, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
  }
}
