import Transcripts

/// Events of a streamed transcription, as server-sent events.
public enum TranscriptionStreamEvent: Equatable, Sendable {
  /// What the text has grown by: see `CommittedText`.
  case delta(String)
  /// The whole text.
  case done(String)
  /// In place of the rest.
  case error(WireError)
  /// Behind the last event.
  case end

  /// The event with the empty line behind it.
  public var text: String {
    switch self {
    case .delta(let delta):
      Self.data([("type", .string("transcript.text.delta")), ("delta", .string(delta))])
    case .done(let text):
      Self.data([("type", .string("transcript.text.done")), ("text", .string(text))])
    case .error(let error): Self.data([("error", error.openAI)])
    case .end: "data: [DONE]\n\n"
    }
  }

  private static func data(_ members: [(String, JSONText)]) -> String {
    "data: " + JSONText.object(members).compact + "\n\n"
  }
}

/// A model as `GET /v1/models` lists it.
public struct OpenAIModel: Equatable, Sendable {
  public var id: String
  /// Seconds since 1970.
  public var created: Int
  public var owner: String

  public init(id: String, created: Int = 0, owner: String = "starling") {
    self.id = id
    self.created = created
    self.owner = owner
  }

  /// The answer to `GET /v1/models`.
  public static func list(_ models: [OpenAIModel]) -> String {
    JSONText.object([("object", .string("list")), ("data", .array(models.map(\.object)))]).compact
  }

  /// The answer to `GET /v1/models/{id}`.
  public var json: String { object.compact }

  private var object: JSONText {
    .object([
      ("id", .string(id)), ("object", .string("model")), ("created", .int(created)),
      ("owned_by", .string(owner)),
    ])
  }
}

extension WireError {
  /// The body of an answer of OpenAI's HTTP interface.
  public var openAIBody: String { JSONText.object([("error", openAI)]).compact }

  /// The status of that answer.
  public var httpStatus: Int {
    switch code {
    case .malformed, .missingField, .unknownField, .invalidValue, .unsupported, .unexpectedMessage,
      .truncated:
      400
    case .unauthorized: 401
    case .forbidden: 403
    case .notFound: 404
    case .timeout: 408
    case .tooLarge: 413
    case .busy: 503
    case .internalError: 500
    }
  }

  fileprivate var openAI: JSONText { openAI(eventID: nil) }

  /// OpenAI's clients expect `param` and `code` to be there.
  func openAI(eventID: String?) -> JSONText {
    let event: [(String, JSONText)] = eventID.map { [("event_id", .string($0))] } ?? []
    return .object(
      [
        ("message", .string(message)), ("type", .string(openAIType)), ("param", .text(field)),
        ("code", .string(code.rawValue)),
      ] + event)
  }

  private var openAIType: String {
    switch code {
    case .unauthorized: "authentication_error"
    case .forbidden: "permission_error"
    case .busy, .timeout, .internalError: "server_error"
    default: "invalid_request_error"
    }
  }
}
