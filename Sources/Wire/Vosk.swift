/// What a client of a Vosk server says over its WebSocket.
public enum VoskMessage: Equatable, Sendable {
  case config(VoskConfig)
  /// 16-bit samples, low byte first. Wants exactly one reply.
  case audio([UInt8])
  /// `{"eof" : 1}`: the last result, then the end.
  case endOfAudio
  /// `{"reset" : 1}`: a result now; more audio follows.
  case reset

  /// - Parameter limit: most bytes of a message.
  public init(
    _ message: WebSocketMessage, limit: Int = 1 << 20
  ) throws(WireError) {
    try message.check(limit: limit)
    switch message {
    case .binary(let bytes):
      guard bytes.count.isMultiple(of: 2) else {
        throw WireError(.malformed, "\(bytes.count) bytes of audio, expected 16-bit samples")
      }
      self = .audio(bytes)
    case .text(let bytes):
      let fields = try JSONFields(parsing: bytes)
      if let config = try fields.object("config") {
        self = .config(try VoskConfig(config))
      } else if try fields.flag("eof") {
        self = .endOfAudio
      } else if try fields.flag("reset") {
        self = .reset
      } else {
        throw WireError(
          .unexpectedMessage, "expected audio, or a JSON object with 'config', 'eof' or 'reset'")
      }
    }
  }
}

/// What a client of a Vosk server asks for. Fields that it does not know it ignores, as Vosk does.
public struct VoskConfig: Equatable, Sendable {
  /// In Hz.
  public var sampleRate = 8000
  /// Whether results list their words.
  public var words = false
  /// 0 for the plain form of results.
  public var maxAlternatives = 0
  /// Phrases to listen for. Vosk takes nothing else for text; here they are hot words.
  public var phrases: [String] = []
  /// The name of a model; never a path to open.
  public var model: String?

  public init() {}

  init(_ fields: JSONFields) throws(WireError) {
    sampleRate = try fields.int("sample_rate", in: AudioBounds.sampleRates) ?? sampleRate
    words = try fields.flag("words")
    maxAlternatives = try fields.int("max_alternatives", in: 0...100) ?? maxAlternatives
    phrases = try fields.strings("phrase_list", limit: 1000) ?? []
    model = try fields.string("model", limit: 256)
  }
}

extension JSONFields {
  /// true or 1; false if it is not there.
  fileprivate func flag(_ field: String) throws(WireError) -> Bool {
    switch self[field] {
    case nil, .bool(false), .number(0): return false
    case .bool(true), .number(1): return true
    default: throw wrong(field, expected: "0 or 1")
    }
  }
}
