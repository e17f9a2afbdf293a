import Foundation
public import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Wire

/// A streaming daemon: listeners of any protocols over one engine.
public final class Server: Sendable {
  private let listeners: [Listener]
  private let context: ServerContext
  private let group: MultiThreadedEventLoopGroup

  /// - Parameter token: what clients must know; nil if anybody may connect.
  public init(
    engine: Engine, listeners: [Listener], token: String? = nil, logger: Logger
  ) {
    self.listeners = listeners
    context = ServerContext(
      engine: engine, connections: Connections(), logger: logger, token: token)
    // Sockets cost little; the cores are the decoder's.
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  }

  /// Serves until `drain` has been called and every session has said its last.
  ///
  /// - Parameter ready: called with the addresses once all listeners are bound and the decoder has
  ///   decoded something.
  /// - Throws: if a listener cannot be bound.
  public func run(ready: @Sendable ([Listener]) -> Void) async throws {
    await context.engine.probe()
    var bound: [(Listener, any Binding)] = []
    do {
      for listener in listeners { bound.append(try await bind(listener)) }
    } catch {
      for (_, binding) in bound { binding.close() }
      throw error
    }
    ready(bound.map(\.0))
    let bindings = bound
    await withDiscardingTaskGroup { group in
      group.addTask { [self] in
        await drained.wait()
        // No new connections; those that are open end their input.
        for (_, binding) in bindings { binding.close() }
        context.connections.drain()
      }
      for (_, binding) in bindings {
        group.addTask { [self] in await binding.serve(context) }
      }
    }
    context.engine.stop()
    for (listener, _) in bindings {
      if case .unix(let path) = listener.address { unlink(path) }
    }
    try? await group.shutdownGracefully()
  }

  private let drained = Gate()

  /// Ends the service: no new connections, and what was received is heard to its end.
  public func drain() { drained.open() }

  private func bind(_ listener: Listener) async throws -> (Listener, any Binding) {
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
    let limit = context.engine.limits.messageBytes
    let binding: any Binding
    switch listener.service {
    case .native, .wyoming:
      binding = ByteBinding(
        service: listener.service,
        channel: try await bootstrap.bind(to: listener) { channel in
          channel.eventLoop.makeCompletedFuture {
            try NIOAsyncChannel(
              wrappingChannelSynchronously: channel,
              configuration: .init(
                isOutboundHalfClosureEnabled: true, inboundType: ByteBuffer.self,
                outboundType: ByteBuffer.self))
          }
        })
    case .vosk, .wenet, .sherpa, .sherpaPython, .http:
      binding = WebBinding(
        service: listener.service,
        channel: try await bootstrap.bind(to: listener) { channel in
          WebBinding.configure(channel, messageBytes: limit, upgrades: listener.service != .http)
        })
    }
    var actual = listener
    if case .tcp(let host, 0) = listener.address, let port = binding.port {
      actual.address = .tcp(host: host, port: port)
    }
    return (actual, binding)
  }
}

extension ServerBootstrap {
  fileprivate func bind<Output: Sendable>(
    to listener: Listener,
    _ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
  ) async throws -> NIOAsyncChannel<Output, Never> {
    do {
      switch listener.address {
      case .tcp(let host, let port):
        return try await bind(host: host, port: port, childChannelInitializer: initializer)
      case .unix(let path):
        return try await bind(
          unixDomainSocketPath: path, cleanupExistingSocketFile: true,
          childChannelInitializer: initializer)
      }
    } catch {
      throw ListenerError(text: "\(listener)", reason: "cannot be opened: \(error)")
    }
  }
}

/// Opens once, for all who wait.
final class Gate: Sendable {
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream() }

  func open() { continuation.finish() }

  func wait() async { for await _ in stream {} }
}
