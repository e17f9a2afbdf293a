import NIOCore
import Synchronization
import Wire

/// What may be done to an open connection from outside: to stop listening to its client.
final class Connection: Sendable {
  private let channel: any Channel
  private let state = Mutex(State())

  private struct State {
    var reason: SessionError?
    var lastActivity = ContinuousClock.now
    var isOpen = true
    var wasStopped = false
  }

  init(_ channel: any Channel) { self.channel = channel }

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

  /// Why reading was stopped from outside.
  var reason: SessionError? { state.withLock { $0.reason } }

  /// Whether the server itself has ended the input, which may then end anywhere.
  var wasStopped: Bool { state.withLock { $0.wasStopped } }

  /// The client has said something.
  func touch() { state.withLock { $0.lastActivity = .now } }

  func close() { state.withLock { $0.isOpen = false } }

  /// Stops reading when nothing has come for so long; returns when the connection is closed.
  func watch(idleSeconds: Double) async {
    while let last = state.withLock({ $0.isOpen ? $0.lastActivity : nil }) {
      let left = Duration.seconds(idleSeconds) - (ContinuousClock.now - last)
      guard left > .zero else { return stopReading(.idle(seconds: idleSeconds)) }
      try? await Task.sleep(for: left)
      if Task.isCancelled { return }
    }
  }
}

/// The connections that are open, so that they can be told to end.
final class Connections: Sendable {
  private let state = Mutex((open: [ObjectIdentifier: Connection](), isDraining: false))

  /// false if no connection is wanted any more.
  func add(_ connection: Connection) -> Bool {
    state.withLock {
      guard !$0.isDraining else { return false }
      $0.open[ObjectIdentifier(connection)] = connection
      return true
    }
  }

  func remove(_ connection: Connection) {
    connection.close()
    state.withLock { _ = $0.open.removeValue(forKey: ObjectIdentifier(connection)) }
  }

  /// Tells every client's input to end; no new connection is taken.
  func drain() {
    let open = state.withLock {
      $0.isDraining = true
      return Array($0.open.values)
    }
    for connection in open { connection.stopReading(nil) }
  }

  var isDraining: Bool { state.withLock { $0.isDraining } }
}

extension WireError {
  init(_ error: SessionError) {
    let code: Code =
      switch error {
      case .tooManySessions, .draining: .busy
      case .tooMuchAudio, .notReading: .tooLarge
      case .idle: .timeout
      case .badAudio: .malformed
      }
    self.init(code, error.description)
  }

  /// Any error as the client is told of it. What is not the client's doing has no details.
  init(reporting error: any Error) {
    switch error {
    case let error as WireError: self = error
    case let error as SessionError: self.init(error)
    default: self.init(.internalError, "an error of the server; its log has more")
    }
  }
}
