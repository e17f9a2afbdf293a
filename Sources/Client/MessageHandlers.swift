import NIOCore
import NIOWebSocket
import Wire

/// What comes from a server.
enum Incoming: Sendable {
  case message(WebSocketMessage)
  /// The server has closed its WebSocket in order.
  case close
}

/// Plain bytes as messages.
final class ByteMessageHandler: ChannelDuplexHandler, Sendable {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = Incoming
  typealias OutboundIn = WebSocketMessage
  typealias OutboundOut = ByteBuffer

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = Array(unwrapInboundIn(data).readableBytesView)
    context.fireChannelRead(wrapInboundOut(.message(.binary(bytes))))
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let buffer =
      switch unwrapOutboundIn(data) {
      case .text(let bytes), .binary(let bytes): ByteBuffer(bytes: bytes)
      }
    context.write(wrapOutboundOut(buffer), promise: promise)
  }
}

/// The frames of a WebSocket as messages, whole ones; answers pings.
final class WebSocketMessageHandler: ChannelDuplexHandler, Sendable {
  typealias InboundIn = WebSocketFrame
  typealias InboundOut = Incoming
  typealias OutboundIn = WebSocketMessage
  typealias OutboundOut = WebSocketFrame

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let frame = unwrapInboundIn(data)
    let bytes = Array(frame.data.readableBytesView)
    switch frame.opcode {
    case .text: context.fireChannelRead(wrapInboundOut(.message(.text(bytes))))
    case .binary: context.fireChannelRead(wrapInboundOut(.message(.binary(bytes))))
    case .connectionClose:
      var data = frame.data
      // A close without a reason is in order too.
      let code = data.readWebSocketErrorCode() ?? .normalClosure
      if code == .normalClosure { context.fireChannelRead(wrapInboundOut(.close)) }
    case .ping:
      context.writeAndFlush(wrapOutboundOut(Self.frame(.pong, frame.data)), promise: nil)
    default: break
    }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let frame =
      switch unwrapOutboundIn(data) {
      case .text(let bytes): Self.frame(.text, ByteBuffer(bytes: bytes))
      case .binary(let bytes): Self.frame(.binary, ByteBuffer(bytes: bytes))
      }
    context.write(wrapOutboundOut(frame), promise: promise)
  }

  func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    var data = ByteBuffer()
    data.write(webSocketErrorCode: .normalClosure)
    context.writeAndFlush(wrapOutboundOut(Self.frame(.connectionClose, data)), promise: nil)
    context.close(mode: mode, promise: promise)
  }

  private static func frame(_ opcode: WebSocketOpcode, _ data: ByteBuffer) -> WebSocketFrame {
    WebSocketFrame(fin: true, opcode: opcode, maskKey: .random(), data: data)
  }
}
