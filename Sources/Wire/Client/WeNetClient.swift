/// A client of WeNet's server.
struct WeNetClient: ClientCodec {
  private var utterance = 0

  var awaitsReady: Bool { true }

  func opening() -> [WebSocketMessage] {
    [WebSocketMessage(#"{"signal": "start", "nbest": 1, "continuous_decoding": true}"#)]
  }

  func endOfAudio() -> [WebSocketMessage] { [WebSocketMessage(#"{"signal": "end"}"#)] }

  mutating func receive(_ message: WebSocketMessage) throws(WireError) -> [ClientEvent] {
    let fields = try JSONFields(parsing: message.bytes)
    if try fields.string("status") == "failed" {
      return [.failed(try fields.reportedError("message") ?? WireError(.internalError, "failed"))]
    }
    switch try fields.required("type", fields.string("type")) {
    case "server_ready": return [.ready]
    case "partial_result": return [.result(try result(fields, isFinal: false))]
    case "final_result":
      defer { utterance += 1 }
      return [.result(try result(fields, isFinal: true))]
    case "speech_end": return [.end]
    default: return []
    }
  }

  /// The best of the texts, which are JSON within a text.
  private func result(_ fields: JSONFields, isFinal: Bool) throws(WireError) -> ClientResult {
    let list = try JSONValue(parsing: Array(fields.resultText("nbest").utf8))
    guard case .array(let items) = list, let best = items.first else {
      throw fields.wrong("nbest", expected: "a list of texts")
    }
    return ClientResult(
      utterance: utterance, isFinal: isFinal,
      text: try JSONFields(best, name: "nbest[0]").resultText("sentence"))
  }
}
