import Transcripts

/// A client of vosk-server. Each portion of audio has one reply, and the end of the audio another,
/// the last.
struct VoskClient: ClientCodec {
  private let hotWords: [String]
  private var unanswered = 0
  private var hasEndedAudio = false
  private var utterance = 0
  private var partial = ""

  init(_ options: ClientOptions) { hotWords = options.hotWords }

  func opening() -> [WebSocketMessage] {
    let config = JSONText.members([
      ("sample_rate", .int(ClientProtocol.vosk.audioFormat.sampleRate)),
      ("phrase_list", hotWords.isEmpty ? .null : .array(hotWords.map(JSONText.string))),
    ])
    return [WebSocketMessage(JSONText.object([("config", config)]).compact)]
  }

  mutating func message(of audio: [UInt8]) -> WebSocketMessage {
    unanswered += 1
    return .binary(audio)
  }

  /// Vosk's server compares the text, its spaces included.
  mutating func endOfAudio() -> [WebSocketMessage] {
    hasEndedAudio = true
    return [WebSocketMessage(#"{"eof" : 1}"#)]
  }

  /// A server that goes down has not answered what was on its way to it.
  func receiveClose() -> [ClientEvent] { hasEndedAudio ? [] : [.end] }

  mutating func receive(_ message: WebSocketMessage) throws(WireError) -> [ClientEvent] {
    let fields = try JSONFields(parsing: message.bytes)
    if let error = try fields.reportedError("error") { return [.failed(error)] }
    unanswered -= 1
    let end: [ClientEvent] = unanswered < 0 ? [.end] : []
    return try result(fields).map { [.result($0)] + end } ?? end
  }

  /// nil if nothing is new.
  private mutating func result(_ fields: JSONFields) throws(WireError) -> ClientResult? {
    if fields["partial"] != nil {
      let text = try fields.resultText("partial")
      guard text != partial else { return nil }
      partial = text
      return ClientResult(utterance: utterance, isFinal: false, text: text)
    }
    let text = try fields.resultText("text")
    partial = ""
    guard !text.isEmpty else { return nil }
    defer { utterance += 1 }
    return ClientResult(utterance: utterance, isFinal: true, text: text)
  }
}
