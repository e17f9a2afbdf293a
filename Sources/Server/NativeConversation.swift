import Audio
import NIOCore
import Recognizer
import Synchronization
import Wire

/// The native protocol over TCP or a Unix socket: docs/protocols.md.
struct NativeConversation {
  let context: ServerContext
  let connection: Connection

  typealias Inbound = NIOAsyncChannelInboundStream<ByteBuffer>
  typealias Outbound = NIOAsyncChannelOutboundWriter<ByteBuffer>

  func run(_ inbound: Inbound, _ outbound: Outbound) async {
    var messages = NativeMessages(inbound, connection)
    do {
      try await answer(&messages, outbound)
    } catch {
      context.log(error, of: "native")
      try? await send(.error(WireError(reporting: error)), outbound)
      outbound.finish()
      // A socket that is closed with bytes unread takes back what was sent on it.
      await messages.discard()
    }
  }

  private func answer(_ messages: inout NativeMessages, _ outbound: Outbound) async throws {
    guard case .open(let options) = try await messages.next() else { return }
    try context.authorize(options.token)
    if options.resume != nil {
      throw WireError(.unsupported, "sessions cannot be resumed yet", field: "resume")
    }
    let chosen = try SessionOptions(options, context.engine)
    let audio = try AudioInput(
      encoding: PCMEncoding(options.encoding), sampleRate: options.sampleRate,
      channels: options.channels, engine: context.engine)
    let session = try context.open(chosen.recognizer)
    try await send(.ready(.init(session: session.id, options: options)), outbound)
    let throttle = Mutex(PartialThrottle(milliseconds: chosen.partialInterval))
    try await converse(session, connection) { results in
      for result in results where throttle.withLock({ $0.allows(result) }) {
        try await send(.result(WireUtterance(result)), outbound)
      }
    } read: {
      while case .audio(let bytes) = try await messages.next() {
        try await session.accept(try audio.samples(bytes))
      }
      try await session.accept(try audio.finish())
    }
    try await send(.end(seconds: session.seconds), outbound)
  }

  private func send(_ event: NativeEvent, _ outbound: Outbound) async throws {
    try await outbound.write(ByteBuffer(string: event.line))
  }
}

/// The messages of a client as they come.
private struct NativeMessages {
  private var iterator: NativeConversation.Inbound.AsyncIterator
  private var reader = NativeReader()
  private var isClosed = false
  private let connection: Connection

  init(_ inbound: NativeConversation.Inbound, _ connection: Connection) {
    iterator = inbound.makeAsyncIterator()
    self.connection = connection
  }

  private static let (discardedBytes, discardSeconds) = (8 << 20, 2.0)

  /// Takes what the client is still sending, for a short while.
  mutating func discard() async {
    let timer = Task { [connection] in
      try await Task.sleep(for: .seconds(Self.discardSeconds))
      connection.stopReading(nil)
    }
    var count = 0
    while count < Self.discardedBytes, let buffer = try? await iterator.next() {
      count += buffer.readableBytes
    }
    timer.cancel()
  }

  /// nil after the last.
  mutating func next() async throws -> NativeMessage? {
    while true {
      if let message = try reader.next() { return message == .end ? nil : message }
      if isClosed { return nil }
      if let buffer = try await iterator.next() {
        connection.touch()
        reader.append(Array(buffer.readableBytesView))
      } else {
        if let reason = connection.reason { throw reason }
        isClosed = true
        guard !connection.wasStopped else { return nil }
        reader.close()
      }
    }
  }
}
