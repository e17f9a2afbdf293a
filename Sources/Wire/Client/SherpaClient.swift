/// A client of sherpa-onnx's streaming servers.
///
/// The Python server never says that a segment is final, and the C++ one not of the last: a text
/// is settled once that of another segment comes, or nothing more.
struct SherpaClient: ClientCodec {
  private let variant: SherpaVariant
  /// What is not settled yet.
  private var open: ClientResult?

  init(_ variant: SherpaVariant) { self.variant = variant }

  func endOfAudio() -> [WebSocketMessage] { [WebSocketMessage("Done")] }

  mutating func receive(_ message: WebSocketMessage) throws(WireError) -> [ClientEvent] {
    if variant == .native, message.bytes.elementsEqual("Done!".utf8) { return settle() + [.end] }
    let fields = try JSONFields(parsing: message.bytes)
    if let error = try fields.reportedError("error") { return [.failed(error)] }
    let result = ClientResult(
      utterance: try fields.required("segment", fields.int("segment", in: 0...Int(Int32.max))),
      isFinal: try fields.bool("is_final") ?? false, text: try fields.resultText("text"))
    let before = open?.utterance == result.utterance ? [] : settle()
    open = result.isFinal ? nil : result
    return before + [.result(result)]
  }

  /// The Python server has no other way to say that it has said all.
  mutating func receiveClose() -> [ClientEvent] {
    variant == .python ? settle() + [.end] : []
  }

  private mutating func settle() -> [ClientEvent] {
    guard var result = open else { return [] }
    open = nil
    result.isFinal = true
    return [.result(result)]
  }
}
