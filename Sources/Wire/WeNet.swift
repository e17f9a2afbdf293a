/// What a client of a WeNet server says over its WebSocket.
public enum WeNetMessage: Equatable, Sendable {
  case start(WeNetOptions)
  /// 16-bit samples, low byte first, at the rate of the server.
  case audio([UInt8])
  case end
}

public struct WeNetOptions: Equatable, Sendable {
  /// Texts of a result.
  public var nBest = 1
  /// Whether the session goes on after its first utterance.
  public var continuousDecoding = false

  public init(nBest: Int = 1, continuousDecoding: Bool = false) {
    self.nBest = nBest
    self.continuousDecoding = continuousDecoding
  }
}

/// Reads the messages of one WeNet client, which come in order: start, audio, end.
public struct WeNetReader: Sendable {
  private enum State {
    case idle, started, ended
  }

  private let limit: Int
  private var state = State.idle

  /// - Parameter limit: most bytes of a message.
  public init(limit: Int = 1 << 20) {
    self.limit = limit
  }

  public mutating func read(_ message: WebSocketMessage) throws(WireError) -> WeNetMessage {
    try message.check(limit: limit)
    guard state != .ended else {
      throw WireError(.unexpectedMessage, "a message after the end signal, expected none")
    }
    switch message {
    case .binary(let bytes):
      guard state == .started else {
        throw WireError(.unexpectedMessage, "audio before the start signal")
      }
      guard bytes.count.isMultiple(of: 2) else {
        throw WireError(.malformed, "\(bytes.count) bytes of audio, expected 16-bit samples")
      }
      return .audio(bytes)
    case .text(let bytes):
      return try signal(JSONFields(parsing: bytes))
    }
  }

  private mutating func signal(_ fields: JSONFields) throws(WireError) -> WeNetMessage {
    switch try fields.required("signal", fields.string("signal")) {
    case "start":
      guard state == .idle else {
        throw WireError(.unexpectedMessage, "a second start signal, expected audio")
      }
      let options = WeNetOptions(
        nBest: try fields.int("nbest", in: 1...100) ?? 1,
        continuousDecoding: try fields.bool("continuous_decoding") ?? false)
      state = .started
      return .start(options)
    case "end":
      guard state == .started else {
        throw WireError(.unexpectedMessage, "the end signal before the start signal")
      }
      state = .ended
      return .end
    default:
      throw fields.wrong("signal", expected: "'start' or 'end'")
    }
  }
}
