import Transcripts

/// How a transcription session of OpenAI's Realtime interface is set up.
public struct RealtimeSession: Equatable, Sendable {
  public enum AudioFormat: String, CaseIterable, Sendable {
    /// 16-bit samples at 24 kHz, low byte first.
    case pcm = "audio/pcm"
    case mulaw = "audio/pcmu"
    case alaw = "audio/pcma"

    public var encoding: WireEncoding {
      switch self {
      case .pcm: .s16le
      case .mulaw: .mulaw
      case .alaw: .alaw
      }
    }

    /// In Hz.
    public var sampleRate: Int { self == .pcm ? 24_000 : 8000 }
  }

  /// The server ends utterances itself.
  public struct TurnDetection: Equatable, Sendable {
    /// Milliseconds of silence that end an utterance.
    public var silence = 500
    public var threshold = 0.5
    /// Milliseconds before speech that belong to it.
    public var prefixPadding = 300

    public init() {}
  }

  public var id: String
  public var format = AudioFormat.pcm
  public var model: String?
  public var language: String?
  public var prompt: String?
  /// Phrases to listen for.
  public var keywords: [String] = []
  /// nil if only the client says where an utterance ends.
  public var turnDetection: TurnDetection? = TurnDetection()

  public init(id: String, model: String? = nil) {
    self.id = id
    self.model = model
  }

  /// Whether audio is heard the same way by both.
  public func hearsAs(_ other: Self) -> Bool {
    format == other.format && keywords == other.keywords && turnDetection == other.turnDetection
  }

  /// Takes over what `session.update` says; what it does not name stays.
  mutating func update(_ session: JSONFields) throws(WireError) {
    let type = try session.required("type", session.string("type"))
    guard type == "transcription" else {
      throw WireError(
        .unsupported, "'session.type' is \(JSONValue.string(type).summary), expected transcription",
        field: "session.type")
    }
    guard let input = try session.object("audio")?.object("input") else { return }
    if let format = try input.object("format") {
      self.format = try format.choice("type", of: AudioFormat.self) ?? .pcm
      let known = self.format.sampleRate
      if let rate = try format.int("rate", in: 1...1_000_000), rate != known {
        throw format.wrong("rate", expected: "\(known)")
      }
    }
    if let transcription = try input.object("transcription") { try update(from: transcription) }
    if input.isNull("turn_detection") {
      turnDetection = nil
    } else if let turns = try input.object("turn_detection") {
      turnDetection = try TurnDetection(turns, turnDetection ?? TurnDetection())
    }
  }

  private mutating func update(from transcription: JSONFields) throws(WireError) {
    model = try transcription.string("model", limit: 256) ?? model
    language = try transcription.string("language", limit: 256) ?? language
    prompt = try transcription.string("prompt", limit: 1 << 16) ?? prompt
    keywords = try transcription.strings("keywords", limit: 1000) ?? keywords
  }

  var json: JSONText {
    let format: [(String, JSONText)] =
      [("type", .string(format.rawValue))]
      + (format == .pcm ? [("rate", .int(format.sampleRate))] : [])
    let transcription = JSONText.members([
      ("model", .text(model)), ("language", .text(language)), ("prompt", .text(prompt)),
      ("keywords", keywords.isEmpty ? .null : .array(keywords.map(JSONText.string))),
    ])
    let input = JSONText.object([
      ("format", .object(format)), ("transcription", transcription), ("noise_reduction", .null),
      ("turn_detection", turnDetection?.json ?? .null),
    ])
    return .object([
      ("id", .string(id)), ("object", .string("realtime.transcription_session")),
      ("type", .string("transcription")), ("audio", .object([("input", input)])),
    ])
  }
}

extension RealtimeSession.TurnDetection {
  fileprivate init(_ fields: JSONFields, _ current: Self) throws(WireError) {
    self = current
    let type = try fields.required("type", fields.string("type"))
    guard type == "server_vad" else {
      let name = fields.name(of: "type")
      throw WireError(
        .unsupported, "'\(name)' is \(JSONValue.string(type).summary), expected server_vad",
        field: name)
    }
    silence = try fields.int("silence_duration_ms", in: 1...60_000) ?? silence
    threshold = try fields.number("threshold", in: 0...1) ?? threshold
    prefixPadding = try fields.int("prefix_padding_ms", in: 0...60_000) ?? prefixPadding
  }

  fileprivate var json: JSONText {
    .object([
      ("type", .string("server_vad")), ("threshold", .real(threshold)),
      ("prefix_padding_ms", .int(prefixPadding)), ("silence_duration_ms", .int(silence)),
    ])
  }
}
