public import Wire

/// Why a session with a server failed.
public enum ClientError: Error, Equatable, Sendable, CustomStringConvertible {
  case cannotConnect(reason: String)
  /// The server did not open a WebSocket.
  /// - Parameter found: such as `HTTP status 404 Not Found`.
  case noWebSocket(found: String)
  /// The server says why.
  case refused(WireError)
  /// What the server says is not of the protocol.
  case strangeAnswer(WireError)
  /// - Parameter seconds: of audio that were sent.
  case lost(seconds: Double)
  /// The server said that all was said before all audio was sent.
  case endedEarly(seconds: Double)
  /// - Parameter seconds: waited for an answer.
  case silent(seconds: Double)

  /// The kind of failure, for counts. That of `refused` is the server's own code.
  public var kind: String {
    switch self {
    case .cannotConnect: "cannot_connect"
    case .noWebSocket: "no_websocket"
    case .refused(let error): error.code.rawValue
    case .strangeAnswer: "strange_answer"
    case .lost: "lost"
    case .endedEarly: "ended_early"
    case .silent: "silent"
    }
  }

  public var description: String {
    switch self {
    case .cannotConnect(let reason): "cannot be reached: \(reason)"
    case .noWebSocket(let found): "expected a WebSocket, found \(found)"
    case .refused(let error):
      "the server says: \(error.message) (\(error.code.rawValue))"
    case .strangeAnswer(let error):
      "expected an answer in the protocol, found: \(error.message)"
    case .lost(let seconds):
      "the connection was lost after \(Self.text(seconds)) of audio, expected the last result"
    case .endedEarly(let seconds):
      "the server ended after \(Self.text(seconds)) of audio, expected it to hear all"
    case .silent(let seconds): "expected an answer, found none for \(Self.text(seconds))"
    }
  }

  private static func text(_ seconds: Double) -> String {
    "\((seconds * 10).rounded() / 10) s"
  }
}
