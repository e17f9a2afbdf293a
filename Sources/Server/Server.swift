import Foundation
import Logging
import NIOCore
import NIOPosix

/// A streaming daemon: listeners of any protocols over one engine.
public final class Server: Sendable {
  private let listeners: [Listener]
  private let inherited: InheritedSockets
  private let tls: TLS?
  private let context: ServerContext
  private let group: MultiThreadedEventLoopGroup
  private let drained = Gate()

  /// - Parameters:
  ///   - tls: for the listeners that encrypt.
  ///   - inherited: sockets for the listeners that name them.
  public init(
    engine: Engine, listeners: [Listener], access: Access, tls: TLS? = nil,
    inherited: InheritedSockets = InheritedSockets(), logging: SessionLogging
  ) {
    self.listeners = listeners
    self.inherited = inherited
    self.tls = tls
    context = ServerContext(
      engine: engine, connections: Connections(limit: engine.limits.connections), access: access,
      logging: logging)
    // Sockets cost little; the cores are the decoder's.
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
  }

  /// Serves until `drain` has been called and every session has said its last, or until standard
  /// input has ended if nothing else is listened to.
  ///
  /// - Parameter ready: called with the addresses once all listeners are bound and the decoder has
  ///   decoded something.
  /// - Throws: `ListenerError` if a listener cannot be bound.
  public func run(ready: @Sendable ([Listener]) -> Void) async throws {
    await context.engine.probe()
    var bindings: [(Listener, any Binding)] = []
    do {
      for listener in listeners { bindings.append(try await bind(listener)) }
    } catch {
      for (_, binding) in bindings { binding.close() }
      context.engine.stop()
      throw error
    }
    ready(bindings.map(\.0))
    await serve(bindings.map(\.1))
    context.engine.stop()
    for (listener, _) in bindings {
      if case .network(.unix(let path)) = listener.address { unlink(path) }
    }
    try? await group.shutdownGracefully()
  }

  private func serve(_ bindings: [any Binding]) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { [self] in
        await drained.wait()
        guard !Task.isCancelled else { return }
        // No new connections; those that are open end their input.
        for binding in bindings { binding.close() }
        context.connections.drain()
        context.natives.drain()
        context.realtimes.drain()
        try? await Task.sleep(for: .seconds(context.limits.drainSeconds))
        guard !Task.isCancelled else { return }
        let count = context.connections.dropAll()
        context.logging.logger.warning(
          "connections dropped that did not end in time", metadata: ["connections": "\(count)"])
      }
      group.addTask { [self] in
        await withDiscardingTaskGroup { group in
          for binding in bindings { group.addTask { [self] in await binding.serve(context) } }
        }
        drained.open()
      }
      // The first to end is the second task: the drain waits for it, or is waiting to drop.
      await group.next()
      group.cancelAll()
    }
  }

  /// Decodes something: returns if the service can.
  public func probe() async { await context.engine.probe() }

  /// Ends the service: no new connections, and what was received is heard to its end.
  public func drain() { drained.open() }

  private func bind(_ listener: Listener) async throws -> (Listener, any Binding) {
    let service = listener.service
    guard !listener.isEncrypted || tls != nil else {
      throw ListenerError(
        text: "\(listener)", reason: "TLS needs a certificate and a key")
    }
    let tls = listener.isEncrypted ? tls : nil
    let context = context
    let binding: any Binding
    if listener.address == .standardStreams {
      binding = try await StandardStreamsBinding(service, group)
    } else if service.isBytes {
      binding = ByteBinding(
        service: service,
        channel: try await bind(listener) { ByteBinding.configure($0, tls) })
    } else {
      binding = WebBinding(
        service: service,
        channel: try await bind(listener) { WebBinding.configure($0, service, tls, context) })
    }
    var actual = listener
    if case .network(.tcp(let host, 0)) = listener.address, let port = binding.port {
      actual.address = .network(.tcp(host: host, port: port))
    }
    return (actual, binding)
  }

  private func bind<Output: Sendable>(
    _ listener: Listener,
    _ initializer: @escaping @Sendable (any Channel) -> EventLoopFuture<Output>
  ) async throws -> NIOAsyncChannel<Output, Never> {
    let logger = context.logging.logger
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(DescriptorReserve(logger: logger))
        }
      }
      .serverChannelOption(.maxMessagesPerRead, value: 1)
      .serverChannelOption(.backlog, value: 1024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.allowRemoteHalfClosure, value: true)
    do {
      switch listener.address {
      case .network(.tcp(let host, let port)):
        return try await bootstrap.bind(
          host: host, port: port, childChannelInitializer: initializer)
      case .network(.unix(let path)):
        return try await bootstrap.bind(
          unixDomainSocketPath: path, cleanupExistingSocketFile: true,
          childChannelInitializer: initializer)
      case .systemd(let name):
        return try await bootstrap.bind(
          try inherited.take(name), childChannelInitializer: initializer)
      case .standardStreams: preconditionFailure("not a socket")
      }
    } catch {
      throw ListenerError(text: "\(listener)", reason: "cannot be opened: \(error)")
    }
  }
}

/// What may change while a server runs.
extension Server {
  /// Lets sessions that begin from now on be heard with another model. Those that are open keep
  /// theirs.
  public func replaceModel(_ model: LoadedModel) {
    context.engine.replaceModel(model)
    context.logging.logger.info("model loaded", metadata: ["model": "\(model.model.name)"])
  }
}

/// Opens once, for all who wait.
final class Gate: Sendable {
  private let stream: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation

  init() { (stream, continuation) = AsyncStream.makeStream() }

  func open() { continuation.finish() }

  /// Returns at once if the task is cancelled.
  func wait() async { for await _ in stream {} }
}
