import Testing
import Wire

/// A message that no client should send, and what is said of it.
struct MalformedCase: Sendable, CustomTestStringConvertible {
  enum Reader: String, Sendable {
    case native, vosk, wenet, sherpa, wyoming, realtime, openAI
  }

  var reader: Reader
  var bytes: [UInt8]
  var isBinary = false
  var code: WireError.Code
  var field: String?

  var testDescription: String {
    let shown = bytes.prefix(60).map { (32..<127).contains($0) ? $0 : UInt8(ascii: ".") }
    return "\(reader) \(code): \(String(decoding: shown, as: UTF8.self))"
  }

  private static func text(
    _ reader: Reader, _ text: String, _ code: WireError.Code, _ field: String? = nil
  ) -> Self {
    MalformedCase(reader: reader, bytes: utf8(text), code: code, field: field)
  }

  private static func binary(_ reader: Reader, _ bytes: [UInt8], _ code: WireError.Code) -> Self {
    MalformedCase(reader: reader, bytes: bytes, isBinary: true, code: code)
  }

  static let all = json + native + vosk + wenet + sherpa + wyoming + openAI + realtime

  /// Not JSON, to a protocol that shows the parser's own error.
  private static let json: [Self] = [
    text(.vosk, "", .malformed), text(.vosk, "{", .malformed), text(.vosk, "{}x", .malformed),
    text(.vosk, "{\"a\":1,}", .malformed), text(.vosk, "{'a':1}", .malformed),
    text(.vosk, "{\"a\":NaN}", .malformed), text(.vosk, "{\"a\":-Infinity}", .malformed),
    text(.vosk, "{\"a\":1e999}", .malformed), text(.vosk, "{\"a\":01}", .malformed),
    text(.vosk, "{\"a\":1.}", .malformed), text(.vosk, "{\"a\":-}", .malformed),
    text(.vosk, "{\"a\":+1}", .malformed), text(.vosk, "{\"a\":tru}", .malformed),
    text(.vosk, "{\"a\":\"\\ud800\"}", .malformed),
    text(.vosk, "{\"a\":\"\\ud800\\u0041\"}", .malformed),
    text(.vosk, "{\"a\":\"\\udc00\"}", .malformed), text(.vosk, "{\"a\":\"\\x\"}", .malformed),
    text(.vosk, "{\"a\":\"\\u12g4\"}", .malformed), text(.vosk, "{\"a\":\"\\", .malformed),
    text(.vosk, "{\"a\":\"\n\"}", .malformed), text(.vosk, "\u{FEFF}{}", .malformed),
    text(.vosk, String(repeating: "[", count: 100_000), .malformed),
    text(.vosk, String(repeating: "{\"a\":", count: 33) + "1", .malformed),
    MalformedCase(reader: .vosk, bytes: [0x7B, 0x22, 0xFF, 0x22], code: .malformed),
    MalformedCase(reader: .vosk, bytes: utf8("{\"a\":\"") + [0xC3], code: .malformed),
  ]

  private static func open(
    _ members: String, _ code: WireError.Code, _ field: String? = nil
  ) -> Self {
    text(.native, #"{"protocol":"starling",\#(members)}"# + "\n", code, field)
  }

  private static let native: [Self] = [
    text(.native, "", .truncated), text(.native, "{\"protocol\":\"starling\"}", .truncated),
    text(.native, "GET / HTTP/1.1\r\n", .malformed), text(.native, "[]\n", .invalidValue),
    text(.native, "{}\n", .missingField, "protocol"),
    text(.native, "{\"protocol\":\"vosk\"}\n", .invalidValue, "protocol"),
    text(.native, String(repeating: " ", count: 1 << 19), .tooLarge),
    open(#""version":2"#, .unsupported, "version"),
    open(#""colour":1"#, .unknownField, "colour"),
    open(#""encoding":"mp3""#, .invalidValue, "encoding"),
    open(#""encoding":1"#, .invalidValue, "encoding"),
    open(#""sample_rate":"16000""#, .invalidValue, "sample_rate"),
    open(#""sample_rate":16000.5"#, .invalidValue, "sample_rate"),
    open(#""sample_rate":1e300"#, .invalidValue, "sample_rate"),
    open(#""channels":0"#, .invalidValue, "channels"),
    open(#""framing":"http""#, .invalidValue, "framing"),
    open(#""latency":"\#(String(repeating: "x", count: 99))""#, .tooLarge, "latency"),
    open(#""partials":1"#, .invalidValue, "partials"),
    open(#""partial_interval_ms":-1"#, .invalidValue, "partial_interval_ms"),
    open(#""n_best":101"#, .invalidValue, "n_best"),
    open(#""hot_words":"Ada""#, .invalidValue, "hot_words"),
    open(#""hot_words":["Ada"]"#, .invalidValue, "hot_words[0]"),
    open(#""hot_words":[{"boost":1}]"#, .missingField, "hot_words[0].phrase"),
    open(
      #""hot_words":[{"phrase":"a"},{"phrase":"b","boost":99}]"#, .invalidValue,
      "hot_words[1].boost"),
    open(#""hot_words":[{"phrase":"a","bost":9}]"#, .unknownField, "hot_words[0].bost"),
    open(
      #""hot_words":[\#(Array(repeating: "1", count: 1001).joined(separator: ","))]"#, .tooLarge,
      "hot_words"),
    open(#""endpoint":1"#, .invalidValue, "endpoint"),
    open(#""endpoint":{"silence":0}"#, .invalidValue, "endpoint.silence"),
    open(#""endpoint":{"silence":"soon"}"#, .invalidValue, "endpoint.silence"),
    open(#""endpoint":{"pause":1}"#, .unknownField, "endpoint.pause"),
    open(#""lm_weight":11"#, .invalidValue, "lm_weight"),
    framed([1, 0], .truncated), framed([2, 0, 0, 0, 1], .truncated),
    framed([255, 255, 255, 255], .tooLarge), framed([0, 0, 0, 0, 1], .unexpectedMessage),
    framed([], .truncated),
  ]

  private static func framed(_ bytes: [UInt8], _ code: WireError.Code) -> Self {
    let line = #"{"protocol":"starling","framing":"length"}"# + "\n"
    return MalformedCase(reader: .native, bytes: utf8(line) + bytes, code: code)
  }

  private static let vosk: [Self] = [
    text(.vosk, "{}", .unexpectedMessage), text(.vosk, "[]", .invalidValue),
    text(.vosk, "{\"eof\":0}", .unexpectedMessage), text(.vosk, "{\"eof\":\"1\"}", .invalidValue),
    text(.vosk, "{\"config\":1}", .invalidValue, "config"),
    text(.vosk, "{\"config\":{\"sample_rate\":0}}", .invalidValue, "config.sample_rate"),
    text(.vosk, "{\"config\":{\"words\":\"yes\"}}", .invalidValue, "config.words"),
    text(.vosk, "{\"config\":{\"phrase_list\":[1]}}", .invalidValue, "config.phrase_list"),
    text(.vosk, "{\"config\":{\"max_alternatives\":-1}}", .invalidValue, "config.max_alternatives"),
    binary(.vosk, [1, 2, 3], .malformed),
    binary(.vosk, [UInt8](repeating: 0, count: 2 << 20), .tooLarge),
  ]

  private static let wenet: [Self] = [
    text(.wenet, "start", .malformed), text(.wenet, "{}", .missingField, "signal"),
    text(.wenet, "{\"signal\":1}", .invalidValue, "signal"),
    text(.wenet, "{\"signal\":\"stop\"}", .invalidValue, "signal"),
    text(.wenet, "{\"signal\":\"end\"}", .unexpectedMessage),
    text(.wenet, "{\"signal\":\"start\",\"nbest\":\"1\"}", .invalidValue, "nbest"),
    text(
      .wenet, "{\"signal\":\"start\",\"continuous_decoding\":1}", .invalidValue,
      "continuous_decoding"),
    binary(.wenet, [0, 0], .unexpectedMessage),
  ]

  private static let sherpa: [Self] = [
    text(.sherpa, "done", .unexpectedMessage), text(.sherpa, "{}", .unexpectedMessage),
    binary(.sherpa, [0, 0, 0], .malformed), binary(.sherpa, [0, 0, 0xC0, 0x7F], .invalidValue),
    binary(.sherpa, [0, 0, 0, 0, 0, 0, 0x80, 0xFF], .invalidValue),
    binary(.sherpa, [UInt8](repeating: 0, count: 4 << 20), .tooLarge),
  ]

  private static let wyoming: [Self] = [
    text(.wyoming, "nonsense\n", .malformed), text(.wyoming, "\n", .malformed),
    text(.wyoming, "{}\n", .missingField, "type"),
    text(.wyoming, "{\"type\":1}\n", .invalidValue, "type"),
    text(.wyoming, "{\"type\":\"describe\"}", .truncated),
    text(.wyoming, "{\"type\":\"a\",\"data\":[]}\n", .invalidValue, "data"),
    text(.wyoming, "{\"type\":\"a\",\"data_length\":-1}\n", .invalidValue, "data_length"),
    text(.wyoming, "{\"type\":\"a\",\"data_length\":1e18}\n", .invalidValue, "data_length"),
    text(.wyoming, "{\"type\":\"a\",\"data_length\":999999}\n", .tooLarge, "data_length"),
    text(.wyoming, "{\"type\":\"a\",\"payload_length\":99999999}\n", .tooLarge, "payload_length"),
    text(.wyoming, "{\"type\":\"a\",\"data_length\":2}\n[]", .invalidValue, "data"),
    text(.wyoming, "{\"type\":\"a\",\"data_length\":2}\n{x", .malformed),
    text(.wyoming, "{\"type\":\"a\",\"payload_length\":2}\nx", .truncated),
    text(.wyoming, String(repeating: "x", count: 1 << 17), .tooLarge),
    text(.wyoming, "{\"type\":\"audio-start\"}\n", .missingField, "rate"),
    text(
      .wyoming, "{\"type\":\"audio-start\",\"data\":{\"rate\":8000,\"width\":3,\"channels\":1}}\n",
      .invalidValue, "width"),
    text(
      .wyoming,
      "{\"type\":\"audio-chunk\",\"payload_length\":3,"
        + "\"data\":{\"rate\":8000,\"width\":2,\"channels\":1}}\nabc", .malformed),
    text(
      .wyoming, "{\"type\":\"transcribe\",\"data\":{\"context\":1}}\n", .invalidValue, "context"),
  ]

  private static func form(
    _ fields: [(String, String)], _ code: WireError.Code, _ field: String? = nil
  ) -> Self {
    MalformedCase(
      reader: .openAI, bytes: MultipartTests.form(fields), code: code, field: field)
  }

  private static func part(_ headers: String, _ code: WireError.Code) -> Self {
    text(.openAI, "--x y\r\n\(headers)\r\n\r\nz\r\n--x y--\r\n", code)
  }

  private static let openAI: [Self] = [
    form([], .missingField, "model"),
    form([("model", "m"), ("model", "m")], .invalidValue, "model"),
    form([("model", "m"), ("response_format", "xml")], .invalidValue, "response_format"),
    form([("model", "m"), ("response_format", "diarized_json")], .invalidValue, "response_format"),
    form([("model", "m"), ("temperature", "nan")], .invalidValue, "temperature"),
    form([("model", "m"), ("temperature", "2")], .invalidValue, "temperature"),
    form([("model", "m"), ("stream", "maybe")], .invalidValue, "stream"),
    form([("model", "m"), ("include[]", "all")], .invalidValue, "include"),
    form(
      [("model", "m"), ("timestamp_granularities[]", "word")], .invalidValue,
      "timestamp_granularities"),
    form(
      [("model", "m"), ("stream", "true"), ("response_format", "srt")], .unsupported, "stream"),
    form([("prompt", String(repeating: "x", count: 1 << 17))], .tooLarge, "prompt"),
    form([("file", "x")], .invalidValue, "file"),
    MalformedCase(
      reader: .openAI, bytes: MultipartTests.form([("model", "m")], file: nil),
      code: .missingField, field: "file"),
    MalformedCase(
      reader: .openAI, bytes: MultipartTests.form([("model", "m")], file: []),
      code: .invalidValue, field: "file"),
    MalformedCase(
      reader: .openAI, bytes: MultipartTests.form([("model", "m")], boundary: "z"),
      code: .truncated),
    MalformedCase(
      reader: .openAI, bytes: MultipartTests.form([("model", "m")]).dropLast(6) + [],
      code: .truncated),
    text(.openAI, "--x yz\r\n", .malformed), text(.openAI, "", .truncated),
    text(.openAI, String(repeating: "x", count: 1 << 17), .malformed),
    part("Content-Type: a/b", .malformed), part("Content-Disposition: attachment", .malformed),
    part("Content-Disposition: form-data", .malformed), part("nonsense", .malformed),
    part(
      "Content-Disposition: form-data; name=a\r\nA: \(String(repeating: "x", count: 1 << 15))",
      .tooLarge),
    part(
      "Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64", .unsupported),
    MalformedCase(
      reader: .openAI,
      bytes: utf8("--x y\r\nContent-Disposition: form-data; name=a\r\n\r\n") + [0xFF]
        + utf8("\r\n--x y--"), code: .malformed, field: "a"),
    MalformedCase(
      reader: .openAI,
      bytes: utf8("--x y\r\nContent-Disposition: form-data; name=") + [0xFF]
        + utf8("\r\n\r\n\r\n--x y--"), code: .malformed),
    form(Array(repeating: ("a", ""), count: 1200), .tooLarge),
  ]

  private static func session(_ body: String, _ code: WireError.Code, _ field: String) -> Self {
    text(.realtime, #"{"type":"session.update","session":\#(body)}"#, code, "session" + field)
  }

  private static func input(_ body: String, _ code: WireError.Code, _ field: String) -> Self {
    session(
      #"{"type":"transcription","audio":{"input":{\#(body)}}}"#, code, ".audio.input." + field)
  }

  private static let realtime: [Self] = [
    text(.realtime, "hello", .malformed), text(.realtime, "[]", .invalidValue),
    text(.realtime, "{}", .missingField, "type"),
    text(.realtime, #"{"type":"response.create"}"#, .unsupported, "type"),
    text(.realtime, #"{"type":"session.update"}"#, .missingField, "session"),
    session("[]", .invalidValue, ""), session("{}", .missingField, ".type"),
    session(#"{"type":"realtime"}"#, .unsupported, ".type"),
    session(#"{"type":"transcription","audio":1}"#, .invalidValue, ".audio"),
    input(#""format":{"type":"audio/mp3"}"#, .invalidValue, "format.type"),
    input(#""format":{"type":"audio/pcm","rate":16000}"#, .invalidValue, "format.rate"),
    input(#""turn_detection":{"type":"semantic_vad"}"#, .unsupported, "turn_detection.type"),
    input(
      #""turn_detection":{"type":"server_vad","silence_duration_ms":0}"#, .invalidValue,
      "turn_detection.silence_duration_ms"),
    input(#""transcription":{"language":1}"#, .invalidValue, "transcription.language"),
    text(.realtime, #"{"type":"input_audio_buffer.append"}"#, .missingField, "audio"),
    text(.realtime, #"{"type":"input_audio_buffer.append","audio":[]}"#, .invalidValue, "audio"),
    text(.realtime, #"{"type":"input_audio_buffer.append","audio":"AQI"}"#, .malformed, "audio"),
    text(.realtime, #"{"type":"input_audio_buffer.append","audio":"A*=="}"#, .malformed, "audio"),
    text(
      .realtime,
      #"{"type":"input_audio_buffer.append","audio":"\#(String(repeating: "AAAA", count: 1000))"}"#,
      .tooLarge, "audio"),
    text(.realtime, String(repeating: " ", count: 9000), .tooLarge),
    binary(.realtime, [1, 2], .unexpectedMessage),
  ]
}
