import Decoding

/// A client of the native protocol. It sends audio in portions behind their length: their end
/// cannot be taken for a lost connection, and needs no half-closed one.
struct NativeClient: ClientCodec {
  private let options: NativeOptions
  private var queue = ByteQueue()

  init(_ options: ClientOptions) {
    var native = NativeOptions()
    native.framing = .length
    native.latency = options.latency
    native.finalPass = options.finalPass
    native.hotWords = options.hotWords.map { HotWord($0) }
    native.token = options.token
    self.options = native
  }

  var awaitsReady: Bool { true }

  func opening() -> [WebSocketMessage] { [.binary(Array(options.line.utf8))] }

  func message(of audio: [UInt8]) -> WebSocketMessage {
    precondition(!audio.isEmpty, "an empty portion ends the audio")
    return .binary(Self.length(audio.count) + audio)
  }

  func endOfAudio() -> [WebSocketMessage] { [.binary(Self.length(0))] }

  private static func length(_ count: Int) -> [UInt8] {
    withUnsafeBytes(of: UInt32(count).littleEndian) { Array($0) }
  }

  mutating func receive(_ message: WebSocketMessage) throws(WireError) -> [ClientEvent] {
    queue.append(message.bytes)
    var events: [ClientEvent] = []
    while let line = try queue.takeLine(limit: ClientLimits.messageBytes) {
      if let event = try Self.event(JSONFields(parsing: line)) { events.append(event) }
    }
    return events
  }

  /// nil for what clients are to ignore.
  private static func event(_ fields: JSONFields) throws(WireError) -> ClientEvent? {
    let type = try fields.required("type", fields.string("type"))
    switch type {
    case "ready": return .ready
    case "partial", "final":
      return .result(
        ClientResult(
          utterance: try fields.required(
            "utterance", fields.int("utterance", in: 0...Int(Int32.max))),
          isFinal: type == "final", text: try fields.resultText("text"),
          end: try fields.number("end", in: 0...Double(Int32.max))))
    case "end": return .end
    case "error":
      let code = try fields.string("code").flatMap(WireError.Code.init)
      return .failed(
        WireError(
          code ?? .internalError, try fields.resultText("message"),
          field: try fields.string("field")))
    default: return nil
    }
  }
}
