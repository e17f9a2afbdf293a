import Decoding

/// What samples of a Wyoming client are.
public struct WyomingAudioFormat: Equatable, Sendable {
  /// In Hz.
  public var rate: Int
  /// Bytes of a sample: 1, 2 or 4, integers with the low byte first. The protocol does not say
  /// whether one byte has a sign; Python's `audioop`, which its own tools use, gives it one.
  public var width: Int
  public var channels: Int

  public init(rate: Int, width: Int, channels: Int) {
    self.rate = rate
    self.width = width
    self.channels = channels
  }

  init(_ fields: JSONFields) throws(WireError) {
    rate = try fields.required("rate", fields.int("rate", in: AudioBounds.sampleRates))
    width = try fields.required("width", fields.int("width", in: 1...4))
    channels = try fields.required("channels", fields.int("channels", in: AudioBounds.channels))
    guard width != 3 else { throw fields.wrong("width", expected: "1, 2 or 4") }
  }
}

/// What a Wyoming client says, as far as a recogniser cares.
public enum WyomingMessage: Equatable, Sendable {
  case describe
  case ping(text: String?)
  /// Which of the programs of `info` shall serve this connection.
  case selectProgram(name: String)
  case transcribe(WyomingTranscribe)
  case audioStart(WyomingAudioFormat)
  case audioChunk(WyomingAudioFormat, [UInt8])
  case audioStop

  /// nil for events that a recogniser does not know: they are to be dropped.
  public init?(_ frame: WyomingFrame) throws(WireError) {
    let fields = try JSONFields(.object(frame.data))
    switch frame.type {
    case "describe": self = .describe
    case "ping": self = .ping(text: try fields.string("text"))
    case "select-program":
      self = .selectProgram(name: try fields.required("name", fields.string("name")))
    case "transcribe": self = .transcribe(try WyomingTranscribe(fields))
    case "audio-start": self = .audioStart(try WyomingAudioFormat(fields))
    case "audio-chunk":
      let format = try WyomingAudioFormat(fields)
      let frameBytes = format.width * format.channels
      guard frame.payload.count.isMultiple(of: frameBytes) else {
        throw WireError(
          .malformed,
          "\(frame.payload.count) bytes of audio, expected a multiple of \(frameBytes)")
      }
      self = .audioChunk(format, frame.payload)
    case "audio-stop": self = .audioStop
    default: return nil
    }
  }
}

/// A request for a transcript of the audio that follows.
public struct WyomingTranscribe: Equatable, Sendable {
  /// The name of a model.
  public var name: String?
  public var language: String?
  /// How soon an utterance ends: `default`, `relaxed` or `aggressive`.
  public var vadSensitivity: String?
  /// To hand back with the transcript.
  public var context: [String: JSONValue]?
  /// Names and terms that the client expects, the names first.
  public var hotWords: [HotWord] = []

  public init() {}

  init(_ fields: JSONFields) throws(WireError) {
    name = try fields.string("name")
    language = try fields.string("language")
    vadSensitivity = try fields.string("vad_sensitivity")
    context = try fields.object("context")?.members
    for field in ["transcript_names", "transcript_terms"] {
      for (index, phrase) in (try fields.strings(field, limit: 1000) ?? []).enumerated() {
        hotWords.append(HotWord(phrase, place: "\(field)[\(index)]"))
      }
    }
  }
}
