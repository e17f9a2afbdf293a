import NIOCore
import Wire

/// What cuts bytes into messages: the readers of `Wire`.
protocol MessageReader: Sendable {
  associatedtype Message: Sendable
  mutating func append(_ bytes: [UInt8])
  mutating func close()
  mutating func next() throws(WireError) -> Message?
}

extension NativeReader: MessageReader {}
extension WyomingReader: MessageReader {}

/// The messages of a client that sends plain bytes. For one task at a time.
final class ByteMessages<Reader: MessageReader>: @unchecked Sendable {
  private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
  private var reader: Reader
  private var isClosed = false
  private let connection: Connection

  init(
    _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ reader: Reader, _ connection: Connection
  ) {
    iterator = inbound.makeAsyncIterator()
    self.reader = reader
    self.connection = connection
  }

  /// nil after the last.
  ///
  /// - Throws: `WireError`, the reason why the connection has been stopped, or what happened to it.
  func next() async throws -> Reader.Message? {
    while true {
      if connection.wasDropped { try connection.checkInput() }
      if let message = try reader.next() {
        connection.establish()
        return message
      }
      if isClosed { return nil }
      if let buffer = try await connection.reading({ try await iterator.next() }) {
        reader.append(Array(buffer.readableBytesView))
      } else {
        try connection.checkInput()
        isClosed = true
        // A server that goes down does not blame a client for half a message.
        guard !connection.wasStopped else { return nil }
        reader.close()
      }
    }
  }

  /// - Throws: if something has come behind the last message.
  func checkEnd() throws(WireError) { _ = try reader.next() }

  /// Takes what the client is still sending, for a short while: a socket that is closed with bytes
  /// unread takes back what was sent on it.
  func discard() async {
    let (mostBytes, seconds) = (8 << 20, 2.0)
    let timer = Task { [connection] in
      try await Task.sleep(for: .seconds(seconds))
      connection.stopReading(nil)
    }
    var count = 0
    while count < mostBytes, let buffer = try? await iterator.next() {
      count += buffer.readableBytes
    }
    timer.cancel()
  }
}
