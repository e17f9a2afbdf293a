import Audio
import Decoding
import NIOCore
import NIOWebSocket
import Recognizer
import Wire

/// A protocol that is spoken over WebSockets alone.
protocol WebSocketConversation: Sendable {
  var context: ServerContext { get }

  func answer(_ client: WebSocketTransport) async throws

  /// How the protocol says an error.
  func text(of error: WireError) -> String?
}

extension WebSocketConversation {
  /// Runs a conversation to its end and closes the WebSocket.
  func run(_ client: WebSocketTransport) async {
    do {
      try await answer(client)
      try? await client.writer.close()
    } catch {
      context.report(error, client.connection)
      if let text = text(of: WireError(reporting: error)) { try? await client.writer.text(text) }
      try? await client.writer.close(WebSocketErrorCode(reporting: error))
    }
  }
}

/// The protocol of WeNet's server.
struct WeNetConversation: WebSocketConversation {
  let context: ServerContext

  func text(of error: WireError) -> String? { WeNetEvent.failed(error).text }

  func answer(_ client: WebSocketTransport) async throws {
    let (messages, writer) = (client.messages, client.writer)
    var reader = WeNetReader()
    guard let first = try await messages.next() else { return }
    guard case .start(let options) = try reader.read(first) else { return }
    var chosen = SessionOptions(context.engine.model)
    chosen.recognizer.decoding.nBest = options.nBest > 1 ? options.nBest : 0
    if !options.continuousDecoding {
      // One utterance a connection, however long.
      chosen.recognizer.endpointRules = EndpointRules(trailingSilence: nil, longestUtterance: nil)
    }
    var audio = try AudioInput(encoding: .s16le, sampleRate: 16_000, model: chosen.model)
    let session = try context.open(chosen, client.connection)
    try await writer.text(WeNetEvent.serverReady.text)
    try await converse(session, client.connection) { results in
      for result in results {
        try await writer.text(
          WeNetEvent.result(WireUtterance(result), nBest: options.nBest).text)
      }
    } read: {
      while let message = try await messages.next() {
        guard case .audio(let bytes) = try reader.read(message) else { break }
        try await session.accept(try audio.samples(bytes))
      }
      try await session.accept(try audio.finish())
    }
    try await writer.text(WeNetEvent.speechEnd.text)
  }
}

/// The protocol of sherpa-onnx's streaming servers.
struct SherpaConversation: WebSocketConversation {
  let context: ServerContext
  let variant: SherpaVariant

  func text(of error: WireError) -> String? { SherpaEvent.error(error).text(variant) }

  func answer(_ client: WebSocketTransport) async throws {
    let (messages, writer) = (client.messages, client.writer)
    let chosen = SessionOptions(context.engine.model)
    var audio = try AudioInput(
      encoding: .f32le, sampleRate: chosen.model.sampleRate, model: chosen.model)
    let session = try context.open(chosen, client.connection)
    try await converse(session, client.connection) { results in
      for result in results {
        let event = SherpaEvent.result(WireUtterance(result), isLast: false)
        if let text = event.text(variant) { try await writer.text(text) }
      }
    } read: {
      while let message = try await messages.next() {
        guard case .audio(let bytes) = try SherpaMessage(message) else { break }
        try await session.accept(try audio.samples(bytes))
      }
      try await session.accept(try audio.finish())
    }
    if let text = SherpaEvent.done.text(variant) { try await writer.text(text) }
  }
}
