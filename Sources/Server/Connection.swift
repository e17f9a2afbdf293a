import Logging
import NIOCore
import Synchronization
import Wire

/// What may be done to an open connection from outside: to stop listening to its client, or to drop
/// it.
final class Connection: Sendable {
  /// Knows the service and the client.
  let logger: Logger
  private let channel: any Channel
  private let state = Mutex(State())

  private struct State {
    var reason: SessionError?
    var wasStopped = false
    var wasDropped = false
    /// Whether the first message has come.
    var isEstablished = false
    /// Since when the server waits for the client to say something; nil while it does not.
    var readBegan: ContinuousClock.Instant?
    /// Since when the server waits for the client to take something; nil while it does not.
    var writeBegan: ContinuousClock.Instant?
  }

  init(_ channel: any Channel, service: Service, logger: Logger) {
    self.channel = channel
    var logger = logger
    logger[metadataKey: "service"] = "\(service.rawValue)"
    if let peer = channel.remoteAddress, peer.port != nil {
      logger[metadataKey: "client"] = "\(peer)"
    }
    self.logger = logger
  }

  /// Ends the client's input as if the client had: what came is still heard and answered.
  ///
  /// - Parameter reason: nil where that is no fault.
  func stopReading(_ reason: SessionError?) {
    state.withLock {
      $0.reason = $0.reason ?? reason
      $0.wasStopped = true
    }
    // The asynchronous channel takes this event for the end of input, whatever is below it.
    channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
  }

  /// Calls `body` once the connection is closed, by either side.
  func whenClosed(_ body: @escaping @Sendable () -> Void) {
    channel.closeFuture.whenComplete { _ in body() }
  }

  /// Closes the connection at once: whoever reads or writes fails.
  func drop(_ reason: SessionError? = nil) {
    state.withLock {
      $0.reason = $0.reason ?? reason
      $0.wasDropped = true
    }
    channel.close(promise: nil)
  }

  /// Why reading was stopped from outside.
  var reason: SessionError? { state.withLock { $0.reason } }

  /// Whether the server itself has ended the input, which may then end anywhere.
  var wasStopped: Bool { state.withLock { $0.wasStopped } }

  var wasDropped: Bool { state.withLock { $0.wasDropped } }

  /// - Throws: why there is nothing more to read, if that is not the client's end of it.
  func checkInput() throws {
    let (reason, wasDropped) = state.withLock { ($0.reason, $0.wasDropped) }
    if let reason { throw reason }
    if wasDropped { throw ConnectionLost() }
  }

  /// The client's first message is whole.
  func establish() { state.withLock { $0.isEstablished = true } }

  /// Reads, for which a client that says nothing has only so long.
  func reading<Result>(
    isolation: isolated (any Actor)? = #isolation, _ read: () async throws -> Result
  ) async throws -> Result {
    state.withLock { $0.readBegan = .now }
    defer { state.withLock { $0.readBegan = nil } }
    return try await read()
  }

  /// Writes, which a client that does not read can hold up only for so long.
  func writing<Result>(
    isolation: isolated (any Actor)? = #isolation, _ write: () async throws -> Result
  ) async throws -> Result {
    state.withLock { $0.writeBegan = $0.writeBegan ?? .now }
    defer { state.withLock { $0.writeBegan = nil } }
    return try await write()
  }

  /// Ends the connection when it exceeds the limits of time; returns when it is cancelled.
  func watch(_ limits: SessionLimits) async {
    let start = ContinuousClock.now
    while !Task.isCancelled {
      let state = state.withLock { $0 }
      let now = ContinuousClock.now
      if let began = state.writeBegan, now - began >= .seconds(limits.unreadSeconds) {
        return drop(.notReading(seconds: limits.unreadSeconds))
      }
      if !state.wasStopped {
        if !state.isEstablished, now - start >= .seconds(limits.handshakeSeconds) {
          stopReading(.noHandshake(seconds: limits.handshakeSeconds))
        } else if let began = state.readBegan, now - began >= .seconds(limits.idleSeconds) {
          stopReading(.idle(seconds: limits.idleSeconds))
        }
      }
      try? await Task.sleep(for: .seconds(Self.watchSeconds))
    }
  }

  /// How exactly the limits of time are kept.
  private static let watchSeconds = 0.25
}

/// The connections that are open, so that they can be told to end.
final class Connections: Sendable {
  private struct State {
    var open: [ObjectIdentifier: Connection] = [:]
    /// Those that have not said yet what they want.
    var young: [ObjectIdentifier: any Channel] = [:]
    var isDraining = false
  }

  private let limit: Int
  private let state = Mutex(State())

  /// - Parameter limit: connections at once.
  init(limit: Int) { self.limit = limit }

  /// false if no connection is wanted any more.
  func add(_ connection: Connection) -> Bool {
    state.withLock {
      guard !$0.isDraining, $0.open.count < limit else { return false }
      $0.open[ObjectIdentifier(connection)] = connection
      return true
    }
  }

  func remove(_ connection: Connection) {
    state.withLock { _ = $0.open.removeValue(forKey: ObjectIdentifier(connection)) }
  }

  /// Knows a channel until `settled` is complete, which is when there is a connection or none.
  func watch<Value>(_ channel: any Channel, until settled: EventLoopFuture<Value>) {
    let isDraining = state.withLock {
      $0.young[ObjectIdentifier(channel)] = channel
      return $0.isDraining
    }
    if isDraining { channel.close(promise: nil) }
    settled.whenComplete { [self] _ in
      state.withLock { _ = $0.young.removeValue(forKey: ObjectIdentifier(channel)) }
    }
  }

  /// Tells every client's input to end; no new connection is taken.
  func drain() {
    let (open, young) = state.withLock {
      $0.isDraining = true
      return (Array($0.open.values), Array($0.young.values))
    }
    for connection in open { connection.stopReading(nil) }
    for channel in young { channel.close(promise: nil) }
  }

  /// Drops all that are still open.
  ///
  /// - Returns: how many there were.
  func dropAll() -> Int {
    let open = state.withLock { Array($0.open.values) }
    for connection in open { connection.drop(.draining) }
    return open.count
  }

  var isDraining: Bool { state.withLock { $0.isDraining } }
}

extension WireError {
  init(_ error: SessionError) {
    let code: Code =
      switch error {
      case .tooManySessions, .draining: .busy
      case .tooMuchAudio: .tooLarge
      case .idle, .noHandshake, .notReading: .timeout
      case .cancelled: .truncated
      }
    self.init(code, error.description)
  }

  /// Any error as the client is told of it. What is not the client's doing has no details.
  init(reporting error: any Error) {
    switch error {
    case let error as WireError: self = error
    case let error as SessionError: self.init(error)
    case let fault as WebSocketFault: self = fault.error
    case is ConnectionLost, is IOError, is ChannelError:
      self.init(.truncated, "the connection was lost")
    default: self.init(.internalError, "an error of the server; its log has more")
    }
  }
}
