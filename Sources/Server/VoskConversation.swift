import Audio
import Decoding
import Recognizer
import Synchronization
import Wire

/// The protocol of vosk-server: one reply for each portion of audio, which says what is known by
/// then.
struct VoskConversation: WebSocketConversation {
  let context: ServerContext

  func text(of error: WireError) -> String? { VoskReplies.error(error) }

  func answer(_ client: WebSocketTransport) async throws {
    let (connection, messages, writer) = (client.connection, client.messages, client.writer)
    var config = VoskConfig()
    var open: VoskSession?
    defer { open?.session.cancel() }
    while let message = try await messages.next() {
      switch try VoskMessage(message) {
      case .config(let new):
        guard open == nil else {
          throw WireError(.unexpectedMessage, "a config after audio, expected before")
        }
        config = new
      case .audio(let bytes):
        if open == nil { open = try VoskSession(config, context, connection) }
        let reply = try await open!.reply(to: bytes)
        try await connection.writing { try await writer.text(reply) }
      case .reset, .endOfAudio:
        let ended = try open ?? VoskSession(config, context, connection)
        open = nil
        try await writer.text(try await ended.end())
        if case .endOfAudio = try VoskMessage(message) { return }
      }
    }
    try connection.checkInput()
    // A server that goes down still says what it has heard.
    if context.isDraining, let open { try await writer.text(try await open.end()) }
  }
}

/// The audio between two resets.
private final class VoskSession: Sendable {
  let session: Session
  private let audio: Mutex<AudioInput>
  private let replies: Mutex<VoskReplies>

  init(_ config: VoskConfig, _ context: ServerContext, _ connection: Connection) throws {
    var chosen = SessionOptions(context.engine.model)
    chosen.recognizer.decoding.nBest = config.maxAlternatives
    try chosen.listen(
      to: config.phrases.map { HotWord($0) }, field: "phrase_list")
    let input = try AudioInput(
      encoding: .s16le, sampleRate: config.sampleRate, model: chosen.model)
    audio = Mutex(input)
    replies = Mutex(VoskReplies(config))
    session = try context.open(chosen, connection)
  }

  func reply(to bytes: [UInt8]) async throws -> String {
    let samples = try audio.withLock { try $0.samples(bytes) }
    try await session.accept(samples)
    takeResults(session.results.takeAll())
    return replies.withLock { $0.replyToAudio() }
  }

  func end() async throws -> String {
    let samples = try audio.withLock { try $0.finish() }
    try await session.accept(samples)
    session.finish()
    for await results in session.results { takeResults(results) }
    session.close()
    return replies.withLock { $0.lastReply() }
  }

  private func takeResults(_ results: [RecognitionResult]) {
    replies.withLock { replies in
      for result in results { replies.take(WireUtterance(result)) }
    }
  }
}
