import Transcripts

/// What a server says in OpenAI's Realtime interface for transcription.
public enum RealtimeEvent: Equatable, Sendable {
  /// Under which name an item is announced: `created` to older clients, then `added` and `done`.
  public enum ItemStage: String, Sendable {
    case created, added, done
  }

  /// - Parameter resumption: nil if the session cannot be resumed.
  case sessionCreated(RealtimeSession, RealtimeResumption?)
  case sessionUpdated(RealtimeSession)
  /// - Parameter milliseconds: from the start of the session.
  case speechStarted(item: String, milliseconds: Int)
  case speechStopped(item: String, milliseconds: Int)
  case committed(item: String, previous: String?)
  case cleared
  case item(ItemStage, id: String, previous: String?)
  /// What the text of an item has grown by: see `CommittedText`.
  case delta(item: String, text: String)
  /// - Parameter seconds: of audio.
  case completed(item: String, text: String, seconds: Double)
  case failed(item: String, WireError)
  case error(RealtimeFailure)

  /// The event as the text of one message.
  ///
  /// - Parameter eventID: names the event, each another.
  public func text(eventID: String) -> String {
    JSONText.object(
      [("type", .string(type)), ("event_id", .string(eventID))] + members
    ).compact
  }

  private var type: String {
    switch self {
    case .sessionCreated: "session.created"
    case .sessionUpdated: "session.updated"
    case .speechStarted: "input_audio_buffer.speech_started"
    case .speechStopped: "input_audio_buffer.speech_stopped"
    case .committed: "input_audio_buffer.committed"
    case .cleared: "input_audio_buffer.cleared"
    case .item(let stage, _, _): "conversation.item." + stage.rawValue
    case .delta: "conversation.item.input_audio_transcription.delta"
    case .completed: "conversation.item.input_audio_transcription.completed"
    case .failed: "conversation.item.input_audio_transcription.failed"
    case .error: "error"
    }
  }

  private var members: [(String, JSONText)] {
    switch self {
    case .sessionCreated(let session, let resumption):
      [("session", session.json)] + (resumption?.members ?? [])
    case .sessionUpdated(let session): [("session", session.json)]
    case .speechStarted(let item, let milliseconds):
      [("audio_start_ms", .int(milliseconds)), ("item_id", .string(item))]
    case .speechStopped(let item, let milliseconds):
      [("audio_end_ms", .int(milliseconds)), ("item_id", .string(item))]
    case .committed(let item, let previous):
      [("previous_item_id", .text(previous)), ("item_id", .string(item))]
    case .cleared: []
    case .item(_, let id, let previous):
      [("previous_item_id", .text(previous)), ("item", Self.item(id))]
    case .delta(let item, let text): Self.content(item) + [("delta", .string(text))]
    case .completed(let item, let text, let seconds):
      Self.content(item) + [
        ("transcript", .string(text)),
        ("usage", .object([("type", .string("duration")), ("seconds", .seconds(seconds))])),
      ]
    case .failed(let item, let error):
      Self.content(item) + [("error", error.openAI(eventID: nil))]
    case .error(let failure): [("error", failure.error.openAI(eventID: failure.eventID))]
    }
  }

  private static func content(_ item: String) -> [(String, JSONText)] {
    [("item_id", .string(item)), ("content_index", .int(0))]
  }

  private static func item(_ id: String) -> JSONText {
    let audio = JSONText.object([("type", .string("input_audio")), ("transcript", .null)])
    return .object([
      ("id", .string(id)), ("object", .string("realtime.item")), ("type", .string("message")),
      ("status", .string("completed")), ("role", .string("user")), ("content", .array([audio])),
    ])
  }
}

/// How a client that loses its connection can go on: Starling's own addition.
public struct RealtimeResumption: Equatable, Sendable {
  public var token: String
  /// Bytes of audio, decoded from base64, that the session has.
  public var receivedBytes: Int

  public init(token: String, receivedBytes: Int) {
    self.token = token
    self.receivedBytes = receivedBytes
  }

  fileprivate var members: [(String, JSONText)] {
    [("resume_token", .string(token)), ("received_bytes", .int(receivedBytes))]
  }
}
