import Decoding

/// What a client of the native protocol asks for in its first line. See docs/protocols.md.
public struct NativeOptions: Equatable, Sendable {
  /// How audio is cut into messages.
  public enum Framing: String, CaseIterable, Sendable {
    /// Bytes until the client closes its side.
    case raw
    /// Portions behind their length; one of length 0 ends the audio.
    case length
  }

  /// When an utterance ends; nil for the server's own rule.
  public struct Endpoint: Equatable, Sendable {
    public enum Time: Equatable, Sendable {
      case seconds(Double)
      case never
    }
    /// Silence after text.
    public var silence: Time?
    /// Silence that ends an utterance without text.
    public var noText: Time?
    /// Length from which an utterance ends before its next word.
    public var longest: Time?

    public init(silence: Time? = nil, noText: Time? = nil, longest: Time? = nil) {
      self.silence = silence
      self.noText = noText
      self.longest = longest
    }
  }

  public var encoding = WireEncoding.s16le
  /// In Hz.
  public var sampleRate = 16_000
  public var channels = 1
  public var framing = Framing.raw
  /// The name of a latency, or C/R in frames: the server knows which there are.
  public var latency: String?
  /// The name of a final pass: the server knows which there are.
  public var finalPass: String?
  public var partials = true
  /// Milliseconds between two partial results of an utterance, at least.
  public var partialInterval = 0
  /// Whether partial results hold the committed text alone.
  public var isStable = false
  /// Texts that a final result may have had.
  public var nBest = 0
  public var hotWords: [HotWord] = []
  public var endpoint = Endpoint()
  /// nil for the server's own.
  public var languageModelWeight: Double?
  /// Whether the session shall outlive its connection, for the client to come back to.
  public var isResumable = false
  /// The token of a session to go on with.
  public var resume: String?
  /// When a session is resumed: the first utterance whose final result the client has not got.
  public var nextUtterance: Int?
  /// Proves that the client may connect.
  public var token: String?

  public init() {}

  private static let names = [
    "protocol", "version", "encoding", "sample_rate", "channels", "framing", "latency",
    "final_pass", "partials", "partial_interval_ms", "stable", "n_best", "hot_words", "endpoint",
    "lm_weight", "resumable", "resume", "next_utterance", "token",
  ]

  /// Reads the line that opens a session.
  public init(parsing line: [UInt8], hotWordLimit: Int = 1000) throws(WireError) {
    let fields = try JSONFields(parsing: line)
    let name = try fields.required("protocol", fields.string("protocol"))
    guard name == "starling" else { throw fields.wrong("protocol", expected: "'starling'") }
    if let version = try fields.int("version", in: 0...1_000_000), version != 1 {
      throw WireError(
        .unsupported, "version \(version) of the protocol, expected 1", field: "version")
    }
    try fields.refuseAll(but: Self.names)
    encoding = try fields.choice("encoding", of: WireEncoding.self) ?? encoding
    sampleRate = try fields.int("sample_rate", in: AudioBounds.sampleRates) ?? sampleRate
    channels = try fields.int("channels", in: AudioBounds.channels) ?? channels
    framing = try fields.choice("framing", of: Framing.self) ?? framing
    latency = try fields.string("latency", limit: 32)
    finalPass = try fields.string("final_pass", limit: 32)
    partials = try fields.bool("partials") ?? partials
    partialInterval = try fields.int("partial_interval_ms", in: 0...60_000) ?? partialInterval
    isStable = try fields.bool("stable") ?? isStable
    nBest = try fields.int("n_best", in: 0...100) ?? nBest
    hotWords = try Self.hotWords(fields, limit: hotWordLimit)
    endpoint = try Self.endpoint(fields)
    languageModelWeight = try fields.number("lm_weight", in: 0...10)
    isResumable = try fields.bool("resumable") ?? isResumable
    resume = try fields.string("resume", limit: 256)
    nextUtterance = try fields.int("next_utterance", in: 0...Int(Int32.max))
    if resume != nil { _ = try fields.required("next_utterance", nextUtterance) }
    token = try fields.string("token", limit: 1024)
  }

  private static func hotWords(_ fields: JSONFields, limit: Int) throws(WireError) -> [HotWord] {
    var words: [HotWord] = []
    for (index, item) in (try fields.array("hot_words", limit: limit) ?? []).enumerated() {
      let entry = try JSONFields(item, name: "hot_words[\(index)]")
      try entry.refuseAll(but: ["phrase", "boost"])
      let phrase = try entry.required("phrase", entry.string("phrase", limit: 1024))
      let boost = try entry.number("boost", in: HotWords.boostRange)
      words.append(HotWord(phrase, boost: boost, place: "hot_words[\(index)]"))
    }
    return words
  }

  private static func endpoint(_ fields: JSONFields) throws(WireError) -> Endpoint {
    guard let rules = try fields.object("endpoint") else { return Endpoint() }
    try rules.refuseAll(but: ["silence", "no_text", "longest"])
    return Endpoint(
      silence: try time("silence", of: rules), noText: try time("no_text", of: rules),
      longest: try time("longest", of: rules))
  }

  private static func time(
    _ field: String, of rules: JSONFields
  ) throws(WireError) -> Endpoint.Time? {
    switch rules[field] {
    case nil: return nil
    case .string("never"): return .never
    case .number(let seconds) where seconds > 0 && seconds <= 86_400: return .seconds(seconds)
    default: throw rules.wrong(field, expected: "a positive number of seconds or 'never'")
    }
  }
}
