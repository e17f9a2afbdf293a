import Foundation
import Transcripts

/// A client of OpenAI's Realtime interface for transcription. Utterances end only where the client
/// says so, which is at the end of the audio: the whole session is one item.
struct RealtimeClient: ClientCodec {
  private let hotWords: [String]
  private var hasEnded = false
  /// The items whose text is not settled, with what is known of it, in the order of their numbers.
  private var items: [(id: String, text: String)] = []
  private var settled = 0

  init(_ options: ClientOptions) { hotWords = options.hotWords }

  var awaitsReady: Bool { true }

  func opening() -> [WebSocketMessage] {
    let format = JSONText.object([
      ("type", .string(RealtimeSession.AudioFormat.pcm.rawValue)),
      ("rate", .int(ClientProtocol.realtime.audioFormat.sampleRate)),
    ])
    let transcription = JSONText.object([("keywords", .array(hotWords.map(JSONText.string)))])
    var input = [("format", format), ("turn_detection", JSONText.null)]
    if !hotWords.isEmpty { input.append(("transcription", transcription)) }
    let session = JSONText.object([
      ("type", .string("transcription")), ("audio", .object([("input", .object(input))])),
    ])
    return [Self.message("session.update", [("session", session)])]
  }

  func message(of audio: [UInt8]) -> WebSocketMessage {
    Self.message(
      "input_audio_buffer.append", [("audio", .string(Data(audio).base64EncodedString()))])
  }

  mutating func endOfAudio() -> [WebSocketMessage] {
    hasEnded = true
    return [Self.message("input_audio_buffer.commit", [])]
  }

  private static func message(_ type: String, _ members: [(String, JSONText)]) -> WebSocketMessage {
    WebSocketMessage(JSONText.object([("type", .string(type))] + members).compact)
  }

  mutating func receive(_ message: WebSocketMessage) throws(WireError) -> [ClientEvent] {
    let fields = try JSONFields(parsing: message.bytes)
    let transcription = "conversation.item.input_audio_transcription."
    switch try fields.required("type", fields.string("type")) {
    case "session.updated": return [.ready]
    case "input_audio_buffer.committed":
      _ = try place(fields)
      return []
    case transcription + "delta":
      let place = try place(fields)
      items[place].text += try fields.resultText("delta")
      return [.result(result(place, isFinal: false))]
    case transcription + "completed":
      let place = try place(fields)
      items[place].text = try fields.resultText("transcript")
      let result = result(place, isFinal: true)
      items.remove(at: place)
      settled += 1
      return [.result(result)] + (hasEnded && items.isEmpty ? [.end] : [])
    case "error", transcription + "failed": return [.failed(try Self.error(fields))]
    default: return []
    }
  }

  /// Where the item of an event stands among those that are not settled.
  private mutating func place(_ fields: JSONFields) throws(WireError) -> Int {
    let id = try fields.required("item_id", fields.string("item_id"))
    if let place = items.firstIndex(where: { $0.id == id }) { return place }
    items.append((id, ""))
    return items.count - 1
  }

  private func result(_ place: Int, isFinal: Bool) -> ClientResult {
    ClientResult(utterance: settled + place, isFinal: isFinal, text: items[place].text)
  }

  private static func error(_ fields: JSONFields) throws(WireError) -> WireError {
    let error = try fields.required("error", fields.object("error"))
    let code = try error.string("code").flatMap(WireError.Code.init)
    return WireError(code ?? .internalError, try error.resultText("message"))
  }
}
