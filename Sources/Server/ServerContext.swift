import Logging
import Wire

/// What every connection of a server shares.
struct ServerContext: Sendable {
  let engine: Engine
  let connections: Connections
  let access: Access
  let logging: SessionLogging
  let natives = Resumption<NativeTransport>()
  let realtimes = Resumption<RealtimeTransport>()

  var limits: SessionLimits { engine.limits }
  var isDraining: Bool { connections.isDraining }

  /// Opens a session, if there is room for one more.
  ///
  /// - Parameters:
  ///   - place: what was taken before; nil to take one now.
  ///   - isBackground: a file, which must not delay live streams.
  func open(
    _ options: SessionOptions, _ connection: Connection, place: SessionPlace? = nil,
    isBackground: Bool = false
  ) throws(SessionError) -> Session {
    let free = if let place { place } else { try takePlace() }
    return Session(
      engine, options, place: free, isBackground: isBackground, logger: connection.logger,
      logsText: logging.logsText)
  }

  func takePlace() throws(SessionError) -> SessionPlace {
    guard !isDraining else { throw .draining }
    return try engine.takePlace()
  }

  /// - Throws: if the client does not know the server's token.
  func authorize(_ given: String?) throws(WireError) {
    guard !access.admits(given) else { return }
    throw WireError(.unauthorized, "expected the server's token", field: "token")
  }

  /// Counts and logs why a connection has ended.
  func report(_ error: any Error, _ connection: Connection) {
    let reported = WireError(reporting: error)
    engine.metrics.count(error: reported.code.rawValue)
    connection.logger.log(
      level: reported.code == .internalError ? .error : .info, "connection ended by an error",
      metadata: ["code": "\(reported.code.rawValue)", "error": "\(error)"])
  }
}

/// What is logged, and where.
public struct SessionLogging: Sendable {
  public var logger: Logger
  /// Whether the texts of utterances are logged.
  public var logsText: Bool

  public init(_ logger: Logger, logsText: Bool = false) {
    self.logger = logger
    self.logsText = logsText
  }
}
