import Transcripts

/// What a recogniser says in the Wyoming protocol.
public enum WyomingEvent: Equatable, Sendable {
  case info(WyomingInfo)
  case pong(text: String?)
  case transcriptStart(language: String?)
  /// What the text has grown by: see `CommittedText`.
  case transcriptChunk(text: String)
  /// The whole text.
  case transcript(text: String, language: String?, context: [String: JSONValue]?)
  case transcriptStop
  case error(WireError)

  /// The event as a frame.
  public var bytes: [UInt8] {
    switch self {
    case .info(let info): WyomingFrame.bytes(type: "info", data: info.json)
    case .pong(let text): Self.frame("pong", [("text", .text(text))])
    case .transcriptStart(let language):
      Self.frame("transcript-start", [("language", .text(language))])
    case .transcriptChunk(let text): Self.frame("transcript-chunk", [("text", .string(text))])
    case .transcript(let text, let language, let context):
      Self.frame(
        "transcript",
        [
          ("text", .string(text)), ("language", .text(language)),
          ("context", context.map { JSONText(.object($0)) } ?? .null),
        ])
    case .transcriptStop: Self.frame("transcript-stop", [])
    case .error(let error):
      Self.frame(
        "error", [("text", .string(error.message)), ("code", .string(error.code.rawValue))])
    }
  }

  private static func frame(_ type: String, _ members: [(String, JSONText)]) -> [UInt8] {
    let data = JSONText.members(members)
    return WyomingFrame.bytes(type: type, data: data.compact == "{}" ? nil : data)
  }
}

/// What a recogniser tells of itself to `describe`.
public struct WyomingInfo: Equatable, Sendable {
  public struct Artifact: Equatable, Sendable {
    public var name: String
    public var description: String
    public var version: String
    public var author: String
    public var url: String

    public init(name: String, description: String, version: String, author: String, url: String) {
      self.name = name
      self.description = description
      self.version = version
      self.author = author
      self.url = url
    }
  }

  public struct Model: Equatable, Sendable {
    public var artifact: Artifact
    /// Such as `en`.
    public var languages: [String]

    public init(_ artifact: Artifact, languages: [String]) {
      self.artifact = artifact
      self.languages = languages
    }
  }

  public var program: Artifact
  public var models: [Model]

  public init(program: Artifact, models: [Model]) {
    self.program = program
    self.models = models
  }

  /// One program that recognises speech as it comes and hears for itself where it ends.
  fileprivate var json: JSONText {
    let models = models.map { model in
      JSONText.object(
        model.artifact.members + [("languages", .array(model.languages.map(JSONText.string)))])
    }
    let features: [(String, JSONText)] = [
      ("models", .array(models)), ("supports_transcript_streaming", .bool(true)),
      ("requires_external_vad", .bool(false)),
    ]
    return .object([("asr", .array([.object(program.members + features)]))])
  }
}

extension WyomingInfo.Artifact {
  fileprivate var members: [(String, JSONText)] {
    [
      ("name", .string(name)),
      ("attribution", .object([("name", .string(author)), ("url", .string(url))])),
      ("installed", .bool(true)),
      ("description", .string(description)),
      ("version", .string(version)),
    ]
  }
}
