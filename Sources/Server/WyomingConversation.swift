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

  typealias Inbound = NIOAsyncChannelInboundStream<ByteBuffer>
  typealias Outbound = NIOAsyncChannelOutboundWriter<ByteBuffer>

  func run(_ inbound: Inbound, _ outbound: Outbound) async {
    var messages = WyomingMessages(inbound, connection)
    do {
      try await answer(&messages, outbound)
    } catch {
      context.log(error, of: "wyoming")
      try? await send(.error(WireError(reporting: error)), outbound)
    }
  }

  private func answer(_ messages: inout WyomingMessages, _ outbound: Outbound) async throws {
    var request = WyomingTranscribe()
    while let message = try await messages.next() {
      switch message {
      case .transcribe(let new): request = new
      case .audioStart(let format):
        try await transcribe(format, [], request, &messages, outbound)
        request = WyomingTranscribe()
      case .audioChunk(let format, let bytes):
        try await transcribe(format, bytes, request, &messages, outbound)
        request = WyomingTranscribe()
      default: try await answerAside(message, outbound)
      }
    }
    if let reason = connection.reason { throw reason }
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
    _ messages: inout WyomingMessages, _ outbound: Outbound
  ) async throws {
    var chosen = SessionOptions(context.engine)
    try chosen.listen(to: request.hotWords, context.engine, field: "transcript_names")
    let audio = try WyomingAudio(format, context.engine)
    let session = try context.open(chosen.recognizer)
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
      hearing: while let message = try await messages.next() {
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
            name: context.engine.model.name, description: "Streaming Conformer", version: "1",
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
  private let input: AudioInput
  private let isNarrow: Bool

  init(_ format: WyomingAudioFormat, _ engine: Engine) throws(WireError) {
    isNarrow = format.width == 1
    input = try AudioInput(
      encoding: format.width == 4 ? .s32le : .s16le, sampleRate: format.rate,
      channels: format.channels, engine: engine)
  }

  func samples(_ bytes: [UInt8]) throws(WireError) -> [Float] {
    // Signed bytes are the high halves of 16-bit samples.
    try input.samples(isNarrow ? bytes.flatMap { [0, $0] } : bytes)
  }

  func finish() throws(WireError) -> [Float] { try input.finish() }
}

/// The messages of a client as they come; those that nobody knows are dropped.
private struct WyomingMessages {
  private var iterator: WyomingConversation.Inbound.AsyncIterator
  private var reader = WyomingReader()
  private var isClosed = false
  private let connection: Connection

  init(_ inbound: WyomingConversation.Inbound, _ connection: Connection) {
    iterator = inbound.makeAsyncIterator()
    self.connection = connection
  }

  /// nil after the last.
  mutating func next() async throws -> WyomingMessage? {
    while true {
      while let frame = try reader.next() {
        if let message = try WyomingMessage(frame) { return message }
      }
      if isClosed { return nil }
      if let buffer = try await iterator.next() {
        connection.touch()
        reader.append(Array(buffer.readableBytesView))
      } else {
        if let reason = connection.reason { throw reason }
        isClosed = true
        // A server that goes down does not blame a client for half a frame.
        guard !connection.wasStopped else { return nil }
        reader.close()
      }
    }
  }
}
