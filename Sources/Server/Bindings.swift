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
  /// Runs `body` for a connection that can be drained and that ends when nothing comes.
  func withConnection(
    _ channel: any Channel, _ body: @escaping @Sendable (Connection) async -> Void
  ) async {
    let connection = Connection(channel)
    guard connections.add(connection) else { return }
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await connection.watch(idleSeconds: engine.limits.idleSeconds) }
      await body(connection)
      connections.remove(connection)
      group.cancelAll()
    }
  }
}

/// Plain bytes, over TCP or a Unix socket.
struct ByteBinding: Binding {
  let service: Service
  let channel: NIOAsyncChannel<NIOAsyncChannel<ByteBuffer, ByteBuffer>, Never>

  var port: Int? { channel.channel.localAddress?.port }
  func close() { channel.channel.close(promise: nil) }

  func serve(_ context: ServerContext) async {
    try? await withThrowingDiscardingTaskGroup { group in
      try await channel.executeThenClose { inbound in
        for try await client in inbound {
          group.addTask {
            await context.withConnection(client.channel) { connection in
              try? await client.executeThenClose { inbound, outbound in
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
        }
      }
    }
  }
}

/// HTTP, and WebSockets that begin as such.
struct WebBinding: Binding {
  enum Client: Sendable {
    case webSocket(NIOAsyncChannel<WebSocketFrame, WebSocketFrame>)
    case http(NIOAsyncChannel<HTTPServerRequestPart, HTTPPart<HTTPResponseHead, ByteBuffer>>)
  }

  let service: Service
  let channel: NIOAsyncChannel<EventLoopFuture<Client>, Never>

  var port: Int? { channel.channel.localAddress?.port }
  func close() { channel.channel.close(promise: nil) }

  func serve(_ context: ServerContext) async {
    try? await withThrowingDiscardingTaskGroup { group in
      try await channel.executeThenClose { inbound in
        for try await negotiation in inbound {
          group.addTask {
            guard let client = try? await negotiation.get() else { return }
            await serve(client, context)
          }
        }
      }
    }
  }

  private func serve(_ client: Client, _ context: ServerContext) async {
    switch client {
    case .webSocket(let channel):
      await context.withConnection(channel.channel) { connection in
        try? await channel.executeThenClose { inbound, outbound in
          switch service {
          case .vosk:
            await VoskConversation(context: context, connection: connection).run(inbound, outbound)
          case .wenet:
            await WeNetConversation(context: context, connection: connection).run(inbound, outbound)
          case .sherpa, .sherpaPython:
            await SherpaConversation(
              context: context, connection: connection,
              variant: service == .sherpa ? .native : .python
            ).run(inbound, outbound)
          case .native, .wyoming, .http: preconditionFailure("no WebSocket there")
          }
        }
      }
    case .http(let channel):
      await context.withConnection(channel.channel) { connection in
        try? await channel.executeThenClose { inbound, outbound in
          await HTTPService(context: context, connection: connection).run(inbound, outbound)
        }
      }
    }
  }

  /// - Parameters:
  ///   - messageBytes: of one WebSocket message.
  ///   - upgrades: whether WebSockets are taken.
  static func configure(
    _ channel: any Channel, messageBytes: Int, upgrades: Bool
  ) -> EventLoopFuture<EventLoopFuture<Client>> {
    channel.eventLoop.makeCompletedFuture {
      let upgrader = NIOTypedWebSocketServerUpgrader<Client>(
        maxFrameSize: messageBytes,
        shouldUpgrade: { channel, head in
          // A browser's page from elsewhere is no client.
          channel.eventLoop.makeSucceededFuture(
            upgrades && head.headers["origin"].isEmpty ? HTTPHeaders() : nil)
        },
        upgradePipelineHandler: { channel, _ in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(
              NIOWebSocketFrameAggregator(
                minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 1024,
                maxAccumulatedFrameSize: messageBytes))
            return .webSocket(try NIOAsyncChannel(wrappingChannelSynchronously: channel))
          }
        })
      let configuration = NIOTypedHTTPServerUpgradeConfiguration(
        upgraders: [upgrader],
        notUpgradingCompletionHandler: { channel in
          channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(ResponsePartHandler())
            return .http(try NIOAsyncChannel(wrappingChannelSynchronously: channel))
          }
        })
      return try channel.pipeline.syncOperations.configureUpgradableHTTPServerPipeline(
        configuration: .init(upgradeConfiguration: configuration))
    }
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
