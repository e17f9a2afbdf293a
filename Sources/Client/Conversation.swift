import NIOCore
import Synchronization
import Wire

/// How far a session has come: what the task that sends and the one that hears share.
final class Conversation: Sendable {
  private let channel: any Channel
  private let state: Mutex<State>

  private struct State {
    var codec: any ClientCodec
    var isReady: Bool
    var hasEndedAudio = false
    var isOver = false
    /// Of audio sent.
    var seconds = 0.0
    /// When an answer was due for the first time, or the last one came.
    var waitingSince: ContinuousClock.Instant?
    var failure: (any Error)?
  }

  init(_ protocol: ClientProtocol, _ options: ClientOptions, channel: any Channel) {
    self.channel = channel
    let codec = `protocol`.makeCodec(options)
    state = Mutex(State(codec: codec, isReady: !codec.awaitsReady))
  }

  /// Whether the server has not yet said that audio may come.
  var awaitsReady: Bool { state.withLock { !$0.isReady } }

  /// Whether all is said.
  var isOver: Bool { state.withLock { $0.isOver } }

  func opening() -> [WebSocketMessage] {
    state.withLock { state in
      if !state.isReady { state.waitingSince = .now }
      return state.codec.opening()
    }
  }

  /// - Parameter seconds: of audio in all, with this portion.
  func message(of portion: [UInt8], seconds: Double) -> WebSocketMessage {
    state.withLock { state in
      state.seconds = seconds
      return state.codec.message(of: portion)
    }
  }

  func endOfAudio() -> [WebSocketMessage] {
    state.withLock { state in
      state.hasEndedAudio = true
      state.waitingSince = .now
      return state.codec.endOfAudio()
    }
  }

  /// Ends the conversation for a fault of this side.
  func fail(_ error: any Error) {
    state.withLock { $0.failure = $0.failure ?? error }
    channel.close(promise: nil)
  }

  /// Reads what came; nil where the connection has ended.
  ///
  /// - Returns: what the server says, and why the conversation cannot go on after it, if it cannot.
  func results(of incoming: Incoming?) -> (results: [ClientResult], failure: (any Error)?) {
    state.withLock { state in
      if state.waitingSince != nil { state.waitingSince = .now }
      var results: [ClientResult] = []
      do {
        for event in try Self.events(of: incoming, &state) {
          if case .result(let result) = event { results.append(result) }
          try Self.take(event, &state)
        }
      } catch {
        return (results, error)
      }
      return (results, nil)
    }
  }

  private static func take(_ event: ClientEvent, _ state: inout State) throws(ClientError) {
    switch event {
    case .ready:
      state.isReady = true
      state.waitingSince = nil
    case .result: break
    case .failed(let error): throw .refused(error)
    case .end:
      guard state.hasEndedAudio else { throw .endedEarly(seconds: state.seconds) }
      state.isOver = true
    }
  }

  private static func events(of incoming: Incoming?, _ state: inout State) throws -> [ClientEvent] {
    switch incoming {
    case nil: throw state.failure ?? ClientError.lost(seconds: state.seconds)
    case .close: return state.codec.receiveClose()
    case .message(let message):
      do throws(WireError) { return try state.codec.receive(message) } catch {
        throw ClientError.strangeAnswer(error)
      }
    }
  }

  /// Gives the server up once it has been silent for too long; returns when it is cancelled.
  func watch() async {
    let patience = Duration.seconds(ClientSession.patience)
    while !Task.isCancelled {
      let due = (state.withLock { $0.waitingSince } ?? .now) + patience
      guard due > .now else { return fail(ClientError.silent(seconds: ClientSession.patience)) }
      try? await Task.sleep(until: due)
    }
  }
}
