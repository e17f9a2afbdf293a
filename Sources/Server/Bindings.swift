import NIOCore
import NIOHTTP1
import NIOWebSocket

/// A bound listener.
protocol Binding: Sendable {
  var port: Int? { get }
  /// Takes connections until `close`, and returns when the last has ended.
  func serve(_ context: ServerContext) async
  func close()
}

extension ServerContext {
  /// Serves every connection that a listener takes until it is closed. A listener that fails says so, and
  /// those that it took go on.
  func takeConnections<Accepted: Sendable>(
    of listener: NIOAsyncChannel<Accepted, Never>, _ service: Service,
    _ serve: @escaping @Sendable (Accepted) async -> Void
  ) async {
    await withDiscardingTaskGroup { group in
      try? await listener.executeThenClose { inbound in
        do {
          for try await accepted in inbound { group.addTask { await serve(accepted) } }
        } catch {
          logging.logger.error(
            "a listener has failed and takes no more connections",
            metadata: ["service": "\(service.rawValue)", "error": "\(error)"])
        }
      }
    }
  }

  /// Runs `body` for a connection that can be drained, and that ends when it exceeds the limits.
  ///
  /// - Parameter isTimed: whether the limits of time are for it too.
  func withConnection(
    _ channel: any Channel, _ service: Service, isTimed: Bool = true,
    _ body: @escaping @Sendable (Connection) async -> Void
  ) async {
    let connection = Connection(channel, service: service, logger: logging.logger)
    guard connections.add(connection) else {
      engine.metrics.count(error: "refused_connection")
      return connection.drop()
    }
    await withTaskGroup(of: Void.self) { group in
      if isTimed { group.addTask { await connection.watch(limits) } }
      await body(connection)
      connections.remove(connection)
      group.cancelAll()
    }
  }
}

/// Plain bytes, over TCP, a Unix socket or standard input and output.
struct ByteBinding: Binding {
  typealias Client = NIOAsyncChannel<ByteBuffer, ByteBuffer>

  let service: Service
  let channel: NIOAsyncChannel<Client, Never>

  var port: Int? { channel.channel.localAddress?.port }
  func close() { channel.channel.close(promise: nil) }

  func serve(_ context: ServerContext) async {
    await context.takeConnections(of: channel, service) { client in
      await Self.serve(client, service, context)
    }
  }

  static func serve(
    _ client: Client, _ service: Service, _ context: ServerContext, isTimed: Bool = true
  ) async {
    try? await client.executeThenClose { inbound, outbound in
      await context.withConnection(client.channel, service, isTimed: isTimed) { connection in
        if service == .wyoming {
          await WyomingConversation(context: context, connection: connection)
            .run(inbound, outbound)
        } else {
          await NativeConversation(context: context, connection: connection)
            .run(inbound, outbound)
        }
      }
    }
  }

  static func configure(_ channel: any Channel, _ tls: TLS?) -> EventLoopFuture<Client> {
    channel.eventLoop.makeCompletedFuture {
      try tls?.addHandler(to: channel)
      return try NIOAsyncChannel(
        wrappingChannelSynchronously: channel,
        configuration: .init(isOutboundHalfClosureEnabled: true))
    }
  }
}

/// HTTP, and WebSockets that begin as such.
struct WebBinding: Binding {
  enum Client: Sendable {
    case webSocket(
      NIOAsyncChannel<WebSocketFrame, WebSocketFrame>, WebSocketFaults, HTTPRequestHead)
    case http(NIOAsyncChannel<HTTPServerRequestPart, HTTPPart<HTTPResponseHead, ByteBuffer>>)
  }

  let service: Service
  let channel: NIOAsyncChannel<EventLoopFuture<Client>, Never>

  var port: Int? { channel.channel.localAddress?.port }
  func close() { channel.channel.close(promise: nil) }

  func serve(_ context: ServerContext) async {
    await context.takeConnections(of: channel, service) { negotiation in
      guard let client = try? await negotiation.get() else { return }
      await serve(client, context)
    }
  }

  private func serve(_ client: Client, _ context: ServerContext) async {
    switch client {
    case .webSocket(let channel, let faults, let head):
      try? await channel.executeThenClose { inbound, outbound in
        await context.withConnection(channel.channel, service) { connection in
          let client = WebSocketTransport(inbound, outbound, connection, faults)
          switch service {
          case .vosk: await VoskConversation(context: context).run(client)
          case .wenet: await WeNetConversation(context: context).run(client)
          case .sherpa: await SherpaConversation(context: context, variant: .native).run(client)
          case .sherpaPython:
            await SherpaConversation(context: context, variant: .python).run(client)
          case .http: await RealtimeConversation(context: context).run(client, head)
          case .native, .wyoming: preconditionFailure("no WebSocket there")
          }
        }
      }
    case .http(let channel):
      try? await channel.executeThenClose { inbound, outbound in
        await context.withConnection(channel.channel, service) { connection in
          await HTTPService(context: context, connection: connection, service: service)
            .run(inbound, outbound)
        }
      }
    }
  }

  static func configure(
    _ channel: any Channel, _ service: Service, _ tls: TLS?, _ context: ServerContext
  ) -> EventLoopFuture<EventLoopFuture<Client>> {
    channel.eventLoop.makeCompletedFuture {
      try tls?.addHandler(to: channel)
      let configuration = NIOTypedHTTPServerUpgradeConfiguration(
        upgraders: [upgrader(service, context)],
        notUpgradingCompletionHandler: { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(ResponsePartHandler())
            return .http(try NIOAsyncChannel(wrappingChannelSynchronously: channel))
          }
        })
      let client = try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
        configuration: .init(upgradeConfiguration: configuration))
      try channel.pipeline.syncOperations.addHandler(
        UpgradeGate(service, context),
        position: .before(
          try channel.pipeline.syncOperations.handler(
            type: NIOTypedHTTPServerUpgradeHandler<Client>.self)))
      // Until there is a request, there is no connection that is watched.
      let timeout = channel.eventLoop.scheduleTask(
        in: .milliseconds(Int64(context.limits.handshakeSeconds * 1000))
      ) { channel.close(promise: nil) }
      client.whenComplete { _ in timeout.cancel() }
      context.connections.watch(channel, until: client)
      return client
    }
  }

  private static func upgrader(
    _ service: Service, _ context: ServerContext
  ) -> NIOTypedWebSocketServerUpgrader<Client> {
    // Realtime audio comes as base64 in JSON, up to 15 MiB of it in a message.
    let messageBytes = service == .http ? 21 << 20 : context.limits.messageBytes
    return NIOTypedWebSocketServerUpgrader<Client>(
      maxFrameSize: messageBytes,
      enableAutomaticErrorHandling: false,
      shouldUpgrade: { channel, head in
        let isNamed = head.webSocketProtocols.contains("realtime")
        return channel.eventLoop.makeSucceededFuture(
          isNamed ? ["Sec-WebSocket-Protocol": "realtime"] : [:])
      },
      upgradePipelineHandler: { channel, head in
        channel.eventLoop.makeCompletedFuture {
          let faults = WebSocketFaults(messageBytes: messageBytes)
          try channel.pipeline.syncOperations.addHandlers([
            WebSocketFrameCheck(),
            NIOWebSocketFrameAggregator(
              minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 1024,
              maxAccumulatedFrameSize: messageBytes),
            faults,
          ])
          return .webSocket(
            try NIOAsyncChannel(wrappingChannelSynchronously: channel), faults, head)
        }
      })
  }
}

/// Makes a plain request of one that wants a WebSocket and may not have one, and of wishes for other
/// protocols: NIO forgets the head of a request whose upgrade it declines.
private final class UpgradeGate: ChannelInboundHandler, RemovableChannelHandler, Sendable {
  typealias InboundIn = HTTPServerRequestPart
  typealias InboundOut = HTTPServerRequestPart

  private let service: Service
  private let context: ServerContext

  init(_ service: Service, _ context: ServerContext) {
    self.service = service
    self.context = context
  }

  func channelRead(context channelContext: ChannelHandlerContext, data: NIOAny) {
    guard case .head(var head) = unwrapInboundIn(data) else {
      return channelContext.fireChannelRead(data)
    }
    // Only the first request can become a WebSocket.
    defer { channelContext.pipeline.syncOperations.removeHandler(self, promise: nil) }
    if (try? context.checkUpgrade(of: head, service)) == nil {
      head.headers.remove(name: "upgrade")
    }
    channelContext.fireChannelRead(wrapInboundOut(.head(head)))
  }
}

/// Lets responses be written with bodies of plain buffers.
private final class ResponsePartHandler: ChannelOutboundHandler, Sendable {
  typealias OutboundIn = HTTPPart<HTTPResponseHead, ByteBuffer>
  typealias OutboundOut = HTTPServerResponsePart

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    let part: HTTPServerResponsePart =
      switch unwrapOutboundIn(data) {
      case .head(let head): .head(head)
      case .body(let buffer): .body(.byteBuffer(buffer))
      case .end(let trailers): .end(trailers)
      }
    context.write(wrapOutboundOut(part), promise: promise)
  }
}
