import Wire

/// The client is gone without a word; what it began may go on over another connection.
struct ConnectionLost: Error {}

/// A connection of a protocol whose conversations can be resumed.
protocol ResumableTransport: Sendable {
  var connection: Connection { get }
  func send(_ texts: [String]) async throws
  /// Ends the connection after the last was sent.
  func finish() async
  /// Tells the client why its conversation is over.
  func fail(_ error: any Error) async
}

extension ResumableConversation where Transport: ResumableTransport {
  /// Runs a conversation over one connection after the other, until the client has ended it and all
  /// of `log` is sent.
  ///
  /// - Parameters:
  ///   - first: the connection that the conversation began on.
  ///   - greet: what is said first over each connection.
  ///   - read: hears what comes over a connection to its end.
  ///   - conclude: hears what was accepted to its end and finishes the log; with a fault of the
  ///     client, which it is told of afterwards.
  ///   - giveUp: ends what is being heard, since nobody is there any more.
  ///   - isHeard: whether the client has got the last; only asked where it can come back for it.
  func run(
    over first: Transport, _ log: EventLog, _ context: ServerContext,
    greet: @escaping @Sendable (Transport) throws -> [String],
    read: (Transport) async throws -> Void,
    conclude: (_ fault: (any Error)?) async -> Void,
    giveUp: @escaping @Sendable () -> Void,
    isHeard: (Transport) async -> Bool
  ) async {
    defer { end() }
    var transport = first
    while true {
      do {
        try await exchange(transport, log, greet, read, conclude, giveUp)
        var isOver = !canResume || context.isDraining
        if !isOver { isOver = await isHeard(transport) }
        if isOver { return await transport.finish() }
      } catch let error as ConnectionLost where canResume {
        context.report(error, transport.connection)
        log.abandon()
        // One that the client has only half closed would wait for the rest.
        transport.connection.drop()
      } catch {
        context.report(error, transport.connection)
        return await transport.fail(error)
      }
      guard let next = await next(context.limits.resumeSeconds) else { return }
      transport = next
      renewToken()
    }
  }

  private func exchange(
    _ transport: Transport, _ log: EventLog,
    _ greet: @escaping @Sendable (Transport) throws -> [String],
    _ read: (Transport) async throws -> Void,
    _ conclude: (_ fault: (any Error)?) async -> Void, _ giveUp: @escaping @Sendable () -> Void
  ) async throws {
    let connection = transport.connection
    let greeting = try greet(transport)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { [canResume] in
        do {
          try await transport.send(greeting)
          while let texts = await log.next() {
            try await connection.writing { try await transport.send(texts) }
          }
        } catch {
          // A client that cannot be written to will not be listened to either.
          log.abandon()
          connection.drop()
          if !canResume { giveUp() }
          throw connection.reason ?? error
        }
      }
      do {
        try await read(transport)
        await conclude(nil)
        try await group.waitForAll()
      } catch {
        if error.isFault, !(canResume && error.isLoss) {
          await conclude(error)
        } else {
          group.cancelAll()
        }
        try? await group.waitForAll()
        throw canResume && error.isLoss ? ConnectionLost() : error
      }
    }
  }
}

extension Error {
  /// Whether this is the client's doing, or what it has to put up with.
  var isFault: Bool { self is WireError || self is SessionError || self is WebSocketFault }

  /// Whether this means that the client is gone, and not that it has done something wrong.
  fileprivate var isLoss: Bool {
    switch self {
    case let error as WireError: error.code == .truncated
    case let error as SessionError: error.isSilence
    case is WebSocketFault: false
    default: true
    }
  }
}

extension SessionError {
  /// Whether the client has said or taken nothing, as one that is gone does.
  fileprivate var isSilence: Bool {
    switch self {
    case .idle, .notReading: true
    default: false
    }
  }
}
