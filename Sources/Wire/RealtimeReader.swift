import Foundation

/// What a client of OpenAI's Realtime interface says.
public enum RealtimeMessage: Equatable, Sendable {
  /// The session as it is from now on.
  case update(RealtimeSession)
  /// Bytes in the session's format.
  case append([UInt8])
  /// The utterance ends here.
  case commit
  /// Forget what was not committed.
  case clear
}

/// Why a Realtime message was refused, and which. The session goes on.
public struct RealtimeFailure: Error, Equatable, Sendable {
  public var error: WireError
  /// The `event_id` that the client gave its message.
  public var eventID: String?

  public init(_ error: WireError, eventID: String? = nil) {
    self.error = error
    self.eventID = eventID
  }
}

/// Reads the messages of one Realtime client.
public struct RealtimeReader: Sendable {
  public struct Limits: Sendable {
    /// Bytes of one message.
    public var messageBytes = 21 << 20
    /// Bytes of audio in one message, decoded.
    public var audioBytes = 15 << 20

    public init() {}
  }

  private let limits: Limits
  /// As of the last update.
  public private(set) var session: RealtimeSession
  /// The name that the client gave the last message, if any.
  public private(set) var eventID: String?

  public init(session: RealtimeSession, limits: Limits = Limits()) {
    self.session = session
    self.limits = limits
  }

  /// Takes an update back.
  public mutating func restore(_ session: RealtimeSession) { self.session = session }

  public mutating func read(
    _ message: WebSocketMessage
  ) throws(RealtimeFailure) -> RealtimeMessage {
    eventID = nil
    do throws(WireError) {
      try message.check(limit: limits.messageBytes)
      guard case .text(let bytes) = message else {
        throw WireError(.unexpectedMessage, "a binary message, expected JSON as text")
      }
      let fields = try JSONFields(parsing: bytes)
      eventID = try fields.string("event_id", limit: 512)
      return try read(fields)
    } catch {
      throw RealtimeFailure(error, eventID: eventID)
    }
  }

  private mutating func read(_ fields: JSONFields) throws(WireError) -> RealtimeMessage {
    switch try fields.required("type", fields.string("type")) {
    case "session.update":
      var updated = session
      try updated.update(fields.required("session", fields.object("session")))
      session = updated
      return .update(updated)
    case "input_audio_buffer.append":
      let text = try fields.string("audio", limit: limits.messageBytes)
      return .append(try audio(fields.required("audio", text)))
    case "input_audio_buffer.commit": return .commit
    case "input_audio_buffer.clear": return .clear
    default:
      let known = "session.update or input_audio_buffer.append, .commit or .clear"
      let error = fields.wrong("type", expected: known)
      throw WireError(.unsupported, error.message, field: "type")
    }
  }

  private func audio(_ text: String) throws(WireError) -> [UInt8] {
    guard let data = Data(base64Encoded: text) else {
      throw WireError(.malformed, "'audio' is not base64", field: "audio")
    }
    guard data.count <= limits.audioBytes else {
      throw WireError(
        .tooLarge, "'audio' holds \(data.count) bytes, expected \(limits.audioBytes) at most",
        field: "audio")
    }
    return Array(data)
  }
}
