import Audio
import Decoding
import NIOCore
import NIOWebSocket
import Recognizer
import Synchronization
import Wire

/// A WebSocket's messages, and the answers to its control frames.
struct WebSocketMessages {
  typealias Inbound = NIOAsyncChannelInboundStream<WebSocketFrame>

  private var iterator: Inbound.AsyncIterator
  private let writer: WebSocketWriter
  private let connection: Connection

  init(_ inbound: Inbound, _ writer: WebSocketWriter, _ connection: Connection) {
    iterator = inbound.makeAsyncIterator()
    self.writer = writer
    self.connection = connection
  }

  /// The next message; nil when the client has closed or is not heard any more.
  mutating func next() async throws -> WebSocketMessage? {
    while let frame = try await iterator.next() {
      connection.touch()
      let bytes = Array(frame.unmaskedData.readableBytesView)
      switch frame.opcode {
      case .text: return .text(bytes)
      case .binary: return .binary(bytes)
      case .ping: try await writer.pong(frame.unmaskedData)
      case .connectionClose: return nil
      default: continue
      }
    }
    return nil
  }
}

/// The server's side of a WebSocket.
struct WebSocketWriter: Sendable {
  let outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>

  func text(_ text: String) async throws {
    try await outbound.write(
      WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: text)))
  }

  func pong(_ data: ByteBuffer) async throws {
    try await outbound.write(WebSocketFrame(fin: true, opcode: .pong, data: data))
  }

  func close(_ code: WebSocketErrorCode = .normalClosure) async throws {
    var data = ByteBuffer()
    data.write(webSocketErrorCode: code)
    try await outbound.write(WebSocketFrame(fin: true, opcode: .connectionClose, data: data))
  }
}

/// A protocol that is spoken over WebSockets alone.
protocol WebSocketConversation: Sendable {
  var context: ServerContext { get }
  var connection: Connection { get }

  func answer(_ messages: inout WebSocketMessages, _ writer: WebSocketWriter) async throws

  /// How the protocol says an error.
  func text(of error: WireError) -> String?
}

extension WebSocketConversation {
  /// Runs a conversation to its end and closes the WebSocket.
  func run(
    _ inbound: WebSocketMessages.Inbound,
    _ outbound: NIOAsyncChannelOutboundWriter<WebSocketFrame>
  ) async {
    let writer = WebSocketWriter(outbound: outbound)
    var messages = WebSocketMessages(inbound, writer, connection)
    do {
      try await answer(&messages, writer)
      try? await writer.close()
    } catch {
      context.log(error, of: "\(Self.self)")
      if let text = text(of: WireError(reporting: error)) {
        try? await writer.text(text)
      }
      try? await writer.close(.policyViolation)
    }
  }
}

/// The protocol of WeNet's server.
struct WeNetConversation: WebSocketConversation {
  let context: ServerContext
  let connection: Connection

  func text(of error: WireError) -> String? { WeNetEvent.failed(error).text }

  func answer(_ messages: inout WebSocketMessages, _ writer: WebSocketWriter) async throws {
    var reader = WeNetReader()
    guard let first = try await messages.next() else { return }
    guard case .start(let options) = try reader.read(first) else { return }
    var chosen = SessionOptions(context.engine)
    chosen.recognizer.decoding.nBest = options.nBest > 1 ? options.nBest : 0
    if !options.continuousDecoding {
      // One utterance a connection, however long.
      chosen.recognizer.endpointRules = EndpointRules(trailingSilence: nil, longestUtterance: nil)
    }
    let audio = try AudioInput(encoding: .s16le, sampleRate: 16_000, engine: context.engine)
    let session = try context.open(chosen.recognizer)
    try await writer.text(WeNetEvent.serverReady.text)
    try await converse(session, connection) { results in
      for result in results {
        try await writer.text(
          WeNetEvent.result(WireUtterance(result), nBest: options.nBest).text)
      }
    } read: {
      while let message = try await messages.next() {
        guard case .audio(let bytes) = try reader.read(message) else { break }
        try await session.accept(try audio.samples(bytes))
      }
      try await session.accept(try audio.finish())
    }
    try await writer.text(WeNetEvent.speechEnd.text)
  }
}

/// The protocol of sherpa-onnx's streaming servers.
struct SherpaConversation: WebSocketConversation {
  let context: ServerContext
  let connection: Connection
  let variant: SherpaVariant

  func text(of error: WireError) -> String? { SherpaEvent.error(error).text(variant) }

  func answer(_ messages: inout WebSocketMessages, _ writer: WebSocketWriter) async throws {
    let audio = try AudioInput(
      encoding: .f32le, sampleRate: context.engine.model.sampleRate, engine: context.engine)
    let session = try context.open(SessionOptions(context.engine).recognizer)
    try await converse(session, connection) { results in
      for result in results {
        let event = SherpaEvent.result(WireUtterance(result), isLast: false)
        if let text = event.text(variant) { try await writer.text(text) }
      }
    } read: {
      while let message = try await messages.next() {
        guard case .audio(let bytes) = try SherpaMessage(message) else { break }
        try await session.accept(try audio.samples(bytes))
      }
      try await session.accept(try audio.finish())
    }
    if let text = SherpaEvent.done.text(variant) { try await writer.text(text) }
  }
}
