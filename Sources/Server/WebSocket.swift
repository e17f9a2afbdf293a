import NIOCore
import NIOWebSocket
import Synchronization
import Wire

/// A connection that has become a WebSocket.
struct WebSocketTransport: Sendable {
  let connection: Connection
  let messages: WebSocketMessages
  let writer: WebSocketWriter

  init(
    _ inbound: WebSocketMessages.Inbound, _ outbound: WebSocketWriter.Outbound,
    _ connection: Connection, _ faults: WebSocketFaults
  ) {
    self.connection = connection
    writer = WebSocketWriter(outbound: outbound)
    messages = WebSocketMessages(inbound, writer, connection, faults)
  }
}

/// A WebSocket's messages, and the answers to its control frames. For one task at a time.
final class WebSocketMessages: @unchecked Sendable {
  typealias Inbound = NIOAsyncChannelInboundStream<WebSocketFrame>

  private var iterator: Inbound.AsyncIterator
  private let writer: WebSocketWriter
  private let connection: Connection
  private let faults: WebSocketFaults
  /// Whether the client has said that it closes.
  private(set) var isClosed = false

  init(
    _ inbound: Inbound, _ writer: WebSocketWriter, _ connection: Connection,
    _ faults: WebSocketFaults
  ) {
    iterator = inbound.makeAsyncIterator()
    self.writer = writer
    self.connection = connection
    self.faults = faults
  }

  /// The next message; nil when the client has closed or is gone, or is not heard any more.
  ///
  /// - Throws: `WireError` for frames that cannot be, and messages that are too long.
  func next() async throws -> WebSocketMessage? {
    while let frame = try await connection.reading({ try await iterator.next() }) {
      connection.establish()
      let bytes = Array(frame.unmaskedData.readableBytesView)
      switch frame.opcode {
      case .text: return .text(bytes)
      case .binary: return .binary(bytes)
      case .ping: try await connection.writing { try await writer.pong(frame.unmaskedData) }
      case .connectionClose:
        isClosed = true
        return nil
      default: continue
      }
    }
    try faults.check()
    return nil
  }
}

/// The server's side of a WebSocket.
struct WebSocketWriter: Sendable {
  typealias Outbound = NIOAsyncChannelOutboundWriter<WebSocketFrame>
  let outbound: Outbound

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

/// Refuses what RFC 6455 lets no client send and NIO lets through: frames without a mask (§5.1), with
/// reserved bits or of an unknown kind (§5.2).
final class WebSocketFrameCheck: ChannelInboundHandler, Sendable {
  typealias InboundIn = WebSocketFrame

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    let isKnown: Bool =
      switch frame.opcode {
      case .continuation, .text, .binary, .ping, .pong, .connectionClose: true
      default: false
      }
    guard frame.maskKey != nil, isKnown, !frame.rsv1, !frame.rsv2, !frame.rsv3 else {
      return context.fireErrorCaught(
        BadFrame("without a mask, reserved or of an unknown kind"))
    }
    context.fireChannelRead(data)
  }
}

/// Takes frames that cannot be for the end of the input, so that the conversation can say why in
/// its protocol's own words.
final class WebSocketFaults: ChannelInboundHandler, Sendable {
  typealias InboundIn = WebSocketFrame

  private let messageBytes: Int
  private let fault = Mutex<WebSocketFault?>(nil)

  /// - Parameter messageBytes: that one message may have.
  init(messageBytes: Int) { self.messageBytes = messageBytes }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard let fault = fault(error) else { return context.fireErrorCaught(error) }
    self.fault.withLock { $0 = $0 ?? fault }
    context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
  }

  private func fault(_ error: any Error) -> WebSocketFault? {
    typealias MessageError = NIOWebSocketFrameAggregator.Error
    switch error {
    case NIOWebSocketError.invalidFrameLength, MessageError.accumulatedFrameSizeIsTooLarge,
      MessageError.tooManyFragments:
      return WebSocketFault(
        error: WireError(
          .tooLarge, "a message of more than \(messageBytes) bytes or of too many parts"),
        code: .messageTooLarge)
    case is NIOWebSocketError, is MessageError, is BadFrame:
      return WebSocketFault(
        error: WireError(.malformed, "a WebSocket frame that cannot be: \(error)"),
        code: .protocolError)
    default: return nil
    }
  }

  func check() throws(WebSocketFault) {
    if let fault = fault.withLock({ $0 }) { throw fault }
  }
}

/// A frame that no client may send.
private struct BadFrame: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// A fault of the WebSocket itself, whatever is spoken over it.
struct WebSocketFault: Error {
  let error: WireError
  /// What the WebSocket is closed with.
  let code: WebSocketErrorCode
}

extension WebSocketErrorCode {
  /// What a WebSocket is closed with after `error`.
  init(reporting error: any Error) {
    self =
      switch (error as? WebSocketFault)?.code {
      case let code?: code
      case nil:
        switch WireError(reporting: error).code {
        case .tooLarge: .messageTooLarge
        case .internalError: .unexpectedServerError
        default: .policyViolation
        }
      }
  }
}
