import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import NIOWebSocket
public import Wire

/// A server, what is spoken with it, and what is asked of it.
public struct Endpoint: Sendable {
  public var address: NetworkAddress
  /// Encrypts what is said; nil for plain sockets.
  public var tls: ClientTLS?
  public var `protocol`: ClientProtocol
  public var options: ClientOptions

  public init(
    _ address: NetworkAddress, tls: ClientTLS? = nil, _ protocol: ClientProtocol,
    options: ClientOptions
  ) {
    self.address = address
    self.tls = tls
    self.protocol = `protocol`
    self.options = options
  }

  typealias Messages = NIOAsyncChannel<Incoming, WebSocketMessage>

  /// What became of a connection.
  private enum Opening: Sendable {
    case messages(Messages)
    /// The server answers as to a browser.
    case webPage(EventLoopFuture<HTTPResponseStatus>)
  }

  /// Opens a connection that carries the protocol's messages.
  func connect() async throws(ClientError) -> Messages {
    let bootstrap = ClientBootstrap(group: LoopExecutor.shared.loop)
    do {
      let opened =
        switch address {
        case .tcp(let host, let port):
          try await bootstrap.connect(host: host, port: port, channelInitializer: configure)
        case .unix(let path):
          try await bootstrap.connect(unixDomainSocketPath: path, channelInitializer: configure)
        }
      return try await Self.messages(opened)
    } catch let error as ClientError {
      throw error
    } catch {
      throw .cannotConnect(reason: Self.reason(error))
    }
  }

  private static func messages(_ opening: EventLoopFuture<Opening>) async throws -> Messages {
    let opened: Opening
    do { opened = try await opening.get() } catch {
      throw ClientError.noWebSocket(found: "no HTTP")
    }
    switch opened {
    case .messages(let messages): return messages
    case .webPage(let status):
      let status = try await status.get()
      let found = "HTTP status \(status.code) \(status.reasonPhrase)"
      switch status {
      case .unauthorized: throw ClientError.refused(WireError(.unauthorized, found))
      case .serviceUnavailable: throw ClientError.refused(WireError(.busy, found))
      default: throw ClientError.noWebSocket(found: found)
      }
    }
  }

  /// Sets up what stands between the socket and the messages.
  @Sendable private func configure(
    _ channel: any Channel
  ) -> EventLoopFuture<EventLoopFuture<Opening>> {
    channel.eventLoop.makeCompletedFuture {
      if let tls { try tls.addHandler(to: channel, address) }
      guard self.protocol.usesWebSocket else {
        return channel.eventLoop.makeSucceededFuture(
          try Self.messages(channel, [ByteMessageHandler()]))
      }
      let patience = TimeAmount(.seconds(ClientSession.patience))
      let alarm = channel.eventLoop.scheduleTask(in: patience) { channel.close(promise: nil) }
      let opening = try channel.pipeline.syncOperations.configureUpgradableHTTPClientPipeline(
        configuration: .init(upgradeConfiguration: upgrade))
      opening.whenComplete { _ in alarm.cancel() }
      return opening
    }
  }

  private static func messages(
    _ channel: any Channel, _ handlers: [any ChannelHandler]
  ) throws -> Opening {
    try channel.pipeline.syncOperations.addHandlers(handlers)
    return .messages(try NIOAsyncChannel(wrappingChannelSynchronously: channel))
  }

  private static let messageBytes = 1 << 24

  private var upgrade: NIOTypedHTTPClientUpgradeConfiguration<Opening> {
    var headers = HTTPHeaders()
    switch address {
    case .tcp: headers.add(name: "Host", value: "\(address)")
    case .unix: headers.add(name: "Host", value: "localhost")
    }
    if let token = options.token { headers.add(name: "Authorization", value: "Bearer \(token)") }
    let upgrader = NIOTypedWebSocketClientUpgrader<Opening>(
      maxFrameSize: Self.messageBytes,
      upgradePipelineHandler: { channel, _ in
        channel.eventLoop.makeCompletedFuture {
          let aggregator = NIOWebSocketFrameAggregator(
            minNonFinalFragmentSize: 0, maxAccumulatedFrameCount: 1024,
            maxAccumulatedFrameSize: Self.messageBytes)
          return try Self.messages(channel, [aggregator, WebSocketMessageHandler()])
        }
      })
    return .init(
      upgradeRequestHead: HTTPRequestHead(
        version: .http1_1, method: .GET, uri: self.protocol.path, headers: headers),
      upgraders: [upgrader],
      notUpgradingCompletionHandler: { channel in
        channel.eventLoop.makeCompletedFuture {
          let reader = StatusReader(channel.eventLoop.makePromise())
          try channel.pipeline.syncOperations.addHandler(reader)
          return .webPage(reader.status.futureResult)
        }
      })
  }

  /// An error of a socket as people know it.
  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
      return error.connectionErrors.first.map { reason($0.error) } ?? "its name has no address"
    case let error as IOError: return String(cString: strerror(error.errnoCode))
    case let error as NIOSSLError: return "TLS: \(error)"
    case let error as NIOSSLExtraError: return "TLS: \(error)"
    case ChannelError.connectTimeout: return "it did not answer"
    default: return "\(error)"
    }
  }
}

/// Takes the status of an HTTP response, and closes.
private final class StatusReader: ChannelInboundHandler, Sendable {
  typealias InboundIn = HTTPClientResponsePart

  let status: EventLoopPromise<HTTPResponseStatus>

  init(_ status: EventLoopPromise<HTTPResponseStatus>) { self.status = status }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(let head) = unwrapInboundIn(data) else { return }
    status.succeed(head.status)
    context.close(promise: nil)
  }

  func channelInactive(context: ChannelHandlerContext) { status.fail(ChannelError.eof) }
}
