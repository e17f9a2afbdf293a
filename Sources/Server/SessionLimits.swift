/// What one session, and all of them, may cost.
public struct SessionLimits: Hashable, Sendable {
  /// Sessions at once, files that are uploaded included.
  public var sessions = 200
  /// Connections at once, whatever they do.
  public var connections = 1000
  /// Seconds of audio in one session.
  public var audioSeconds = 4.0 * 3600
  /// Seconds of audio that may wait to be decoded; a sender that is faster waits.
  public var queuedSeconds = 10.0
  /// Results that may wait for a client that reads slowly; its audio waits meanwhile.
  public var unreadResults = 1000
  /// Seconds in which a client must take what is sent to it, or it is dropped.
  public var unreadSeconds = 30.0
  /// Seconds without any audio or message.
  public var idleSeconds = 60.0
  /// Seconds until the first message is whole.
  public var handshakeSeconds = 10.0
  /// Seconds for which a session that can be resumed waits for its client.
  public var resumeSeconds = 30.0
  /// Seconds that clients have for their last results when the server goes down.
  public var drainSeconds = 30.0
  /// Bytes of one message.
  public var messageBytes = 4 << 20
  /// Bytes of an uploaded file.
  public var fileBytes = 1 << 30

  public init() {}
}

/// Why a session ends before its audio does. Every protocol says it in its own words.
public enum SessionError: Error, Equatable, CustomStringConvertible {
  case tooManySessions(limit: Int)
  case tooMuchAudio(limit: Double)
  case notReading(seconds: Double)
  case idle(seconds: Double)
  case noHandshake(seconds: Double)
  /// The server is going down.
  case draining
  /// Nobody wants to hear more of it.
  case cancelled

  public var description: String {
    switch self {
    case .tooManySessions(let limit): "all \(limit) sessions are taken; try again later"
    case .tooMuchAudio(let limit): "a session may have \(Int(limit)) seconds of audio"
    case .notReading(let seconds): "nothing was read for \(Int(seconds)) seconds"
    case .idle(let seconds): "nothing came for \(Int(seconds)) seconds"
    case .noHandshake(let seconds): "no whole message came within \(Int(seconds)) seconds"
    case .cancelled: "the client is gone"
    case .draining: "the server is going down; try again later"
    }
  }
}
