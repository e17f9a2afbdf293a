import Audio
import NIOCore
import Recognizer
import Synchronization
import Wire

/// The Wyoming protocol, with streaming transcripts, over TCP or a Unix socket. A connection may ask
/// for any number of transcripts.
struct WyomingConversation {
  let context: ServerContext
  let connection: Connection

  typealias Messages = ByteMessages<WyomingReader>
  typealias Outbound = NIOAsyncChannelOutboundWriter<ByteBuffer>

  func run(_ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ outbound: Outbound) async {
    let messages = Messages(inbound, WyomingReader(), connection)
    do {
      try await answer(messages, outbound)
    } catch {
      context.report(error, connection)
      try? await send(.error(WireError(reporting: error)), outbound)
      outbound.finish()
      await messages.discard()
    }
  }

  private func answer(_ messages: Messages, _ outbound: Outbound) async throws {
    var request = WyomingTranscribe()
    while let frame = try await messages.next() {
      guard let message = try WyomingMessage(frame) else { continue }
      switch message {
      case .transcribe(let new): request = new
      case .audioStart(let format):
        try await transcribe(format, [], request, messages, outbound)
        request = WyomingTranscribe()
      case .audioChunk(let format, let bytes):
        try await transcribe(format, bytes, request, messages, outbound)
        request = WyomingTranscribe()
      default: try await answerAside(message, outbound)
      }
    }
    try connection.checkInput()
  }

  /// Messages that may come at any time.
  private func answerAside(_ message: WyomingMessage, _ outbound: Outbound) async throws {
    switch message {
    case .describe: try await send(.info(info), outbound)
    case .ping(let text): try await send(.pong(text: text), outbound)
    default: break
    }
  }

  /// Hears audio up to its stop and says what it is.
  private func transcribe(
    _ format: WyomingAudioFormat, _ first: [UInt8], _ request: WyomingTranscribe,
    _ messages: Messages, _ outbound: Outbound
  ) async throws {
    var chosen = SessionOptions(context.engine.model)
    try chosen.listen(to: request.hotWords, field: "transcript_names")
    switch request.vadSensitivity {
    case "aggressive": chosen.recognizer.endpointRules.trailingSilence = 0.5
    case "relaxed": chosen.recognizer.endpointRules.trailingSilence = 2
    default: break
    }
    var audio = try WyomingAudio(format, chosen.model)
    let session = try context.open(chosen, connection)
    let language = "en"
    try await send(.transcriptStart(language: language), outbound)
    let said = Mutex((committed: CommittedText(), texts: [String]()))
    try await converse(session, connection) { results in
      for result in results {
        let growth = said.withLock { said in
          if result.kind == .final, !result.text.isEmpty { said.texts.append(result.text) }
          return said.committed.growth(of: WireUtterance(result))
        }
        if let growth { try await send(.transcriptChunk(text: growth), outbound) }
      }
    } read: {
      try await session.accept(try audio.samples(first))
      hearing: while let frame = try await messages.next() {
        guard let message = try WyomingMessage(frame) else { continue }
        switch message {
        case .audioChunk(let found, let bytes):
          guard found == format else {
            throw WireError(.invalidValue, "the format of the audio changed within it")
          }
          try await session.accept(try audio.samples(bytes))
        case .audioStop: break hearing
        default: try await answerAside(message, outbound)
        }
      }
      try await session.accept(try audio.finish())
    }
    let text = said.withLock { $0.texts.joined(separator: " ") }
    try await send(
      .transcript(text: text, language: language, context: request.context), outbound)
    try await send(.transcriptStop, outbound)
  }

  private var info: WyomingInfo {
    WyomingInfo(
      program: .init(
        name: "starling", description: "Streaming speech recognition", version: "0.1.0",
        author: "Starling", url: ""),
      models: [
        .init(
          .init(
            name: context.engine.model.model.name, description: "Streaming Conformer", version: "1",
            author: "Starling", url: ""),
          languages: ["en"])
      ])
  }

  private func send(_ event: WyomingEvent, _ outbound: Outbound) async throws {
    try await outbound.write(ByteBuffer(bytes: event.bytes))
  }
}

/// Samples of any width that Wyoming knows.
private struct WyomingAudio {
  private var input: AudioInput
  private let isNarrow: Bool

  init(_ format: WyomingAudioFormat, _ model: RecognizerModel) throws(WireError) {
    isNarrow = format.width == 1
    input = try AudioInput(
      encoding: format.width == 4 ? .s32le : .s16le, sampleRate: format.rate,
      channels: format.channels, model: model)
  }

  mutating func samples(_ bytes: [UInt8]) throws(WireError) -> [Float] {
    // Signed bytes are the high halves of 16-bit samples.
    try input.samples(isNarrow ? bytes.flatMap { [0, $0] } : bytes)
  }

  func finish() throws(WireError) -> [Float] { try input.finish() }
}
