/// A client of Wyoming servers, with and without streaming transcripts. The whole session is one
/// utterance.
struct WyomingClient: ClientCodec {
  private let hotWords: [String]
  private var reader: WyomingReader
  private var isStreaming = false
  private var said = ""

  init(_ options: ClientOptions) {
    hotWords = options.hotWords
    var limits = WyomingLimits()
    limits.dataBytes = ClientLimits.messageBytes
    reader = WyomingReader(limits: limits)
  }

  private static let format: [String: JSONValue] = [
    "rate": .number(Double(ClientProtocol.wyoming.audioFormat.sampleRate)), "width": .number(2),
    "channels": .number(1),
  ]

  func opening() -> [WebSocketMessage] {
    let terms = JSONValue.array(hotWords.map(JSONValue.string))
    let request = WyomingFrame(
      type: "transcribe", data: hotWords.isEmpty ? [:] : ["transcript_terms": terms])
    return [
      .binary(request.bytes),
      .binary(WyomingFrame(type: "audio-start", data: Self.format).bytes),
    ]
  }

  func message(of audio: [UInt8]) -> WebSocketMessage {
    .binary(WyomingFrame(type: "audio-chunk", data: Self.format, payload: audio).bytes)
  }

  func endOfAudio() -> [WebSocketMessage] { [.binary(WyomingFrame(type: "audio-stop").bytes)] }

  mutating func receive(_ message: WebSocketMessage) throws(WireError) -> [ClientEvent] {
    reader.append(message.bytes)
    var events: [ClientEvent] = []
    while let frame = try reader.next() {
      let fields = try JSONFields(.object(frame.data))
      switch frame.type {
      case "transcript-start": isStreaming = true
      case "transcript-chunk":
        said += try fields.resultText("text")
        events.append(.result(ClientResult(utterance: 0, isFinal: false, text: said)))
      case "transcript":
        let text = try fields.resultText("text")
        events.append(.result(ClientResult(utterance: 0, isFinal: true, text: text)))
        if !isStreaming { events.append(.end) }
      case "transcript-stop": events.append(.end)
      case "error":
        let code = try fields.string("code").flatMap(WireError.Code.init)
        events.append(
          .failed(WireError(code ?? .internalError, try fields.resultText("text"))))
      default: break
      }
    }
    return events
  }
}
