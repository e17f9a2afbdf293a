import NIOCore
import NIOHTTP1
import Recognizer
import Synchronization
import Wire

/// HTTP/1.1: OpenAI's transcriptions, health, readiness and metrics.
struct HTTPService {
  let context: ServerContext
  let connection: Connection
  let service: Service

  typealias Inbound = NIOAsyncChannelInboundStream<HTTPServerRequestPart>
  typealias Outbound = NIOAsyncChannelOutboundWriter<HTTPPart<HTTPResponseHead, ByteBuffer>>

  private static let transcriptions = "/v1/audio/transcriptions"

  func run(_ inbound: Inbound, _ outbound: Outbound) async {
    do {
      var head: HTTPRequestHead?
      var upload: Result<TranscriptionService.Collector, any Error>?
      var parts = inbound.makeAsyncIterator()
      while let part = try await connection.reading({ try await parts.next() }) {
        switch part {
        case .head(let new):
          connection.establish()
          head = new
          upload = nil
          if new.method == .POST, new.path == Self.transcriptions {
            upload = Result {
              try context.checkOrigin(of: new)
              return try TranscriptionService.Collector(new, context)
            }
          }
        case .body(let buffer):
          // A form that is refused is still read, so that its sender gets to read why.
          guard case .success(var collector) = upload else { continue }
          upload = nil
          upload = Result {
            try collector.append(Array(buffer.readableBytesView))
            return collector
          }
        case .end:
          guard let request = head else { continue }
          head = nil
          let responder = HTTPResponder(
            request: request, outbound: outbound, connection: connection)
          if let upload {
            try await transcribe(upload, responder)
          } else {
            try await answer(request, responder)
          }
          upload = nil
          if !request.isKeepAlive || context.isDraining { return }
        }
      }
      if let head, let reason = connection.reason {
        try await HTTPResponder(request: head, outbound: outbound, connection: connection)
          .send(WireError(reason))
        throw reason
      }
    } catch {
      context.report(error, connection)
    }
  }

  private func answer(_ request: HTTPRequestHead, _ responder: HTTPResponder) async throws {
    let path = request.path
    do throws(WireError) {
      try context.checkOrigin(of: request)
      if request.wantsWebSocket { try context.checkUpgrade(of: request, service) }
    } catch {
      context.report(error, connection)
      return try await responder.send(error)
    }
    if request.method == .OPTIONS { return try await responder.send("", status: .noContent) }
    guard request.method == .GET || request.method == .HEAD else {
      return try await responder.send(
        WireError(.unsupported, "\(request.method) \(path) is not possible here"),
        status: .methodNotAllowed)
    }
    guard path != Self.transcriptions else {
      return try await responder.send(
        WireError(.unsupported, "a transcription is made by POST"), status: .methodNotAllowed)
    }
    switch path {
    case "/healthz": try await responder.send("ok\n")
    case "/readyz":
      guard !context.isDraining else {
        return try await responder.send("going down\n", status: .serviceUnavailable)
      }
      // Decodes on the scheduler's threads: hangs if they do.
      await context.engine.probe()
      try await responder.send("ready\n")
    case "/metrics":
      try await responder.send(
        context.engine.metrics.text, type: "text/plain; version=0.0.4; charset=utf-8")
    case "/v1/models":
      let model = OpenAIModel(id: context.engine.model.model.name)
      try await responder.send(OpenAIModel.list([model]), type: "application/json")
    case "/v1/models/" + context.engine.model.model.name:
      try await responder.send(
        OpenAIModel(id: context.engine.model.model.name).json, type: "application/json")
    default:
      try await responder.send(WireError(.notFound, "no such page: \(path)"))
    }
  }

  private func transcribe(
    _ collected: Result<TranscriptionService.Collector, any Error>, _ responder: HTTPResponder
  ) async throws {
    let service = TranscriptionService(context: context, connection: connection)
    do {
      var collector = try collected.get()
      let upload = try collector.finish()
      if upload.request.streams {
        try await stream(upload, service, responder)
      } else {
        let finals = Mutex<[WireUtterance]>([])
        let seconds = try await service.transcribe(upload) { results in
          finals.withLock { $0 += results.filter { $0.kind == .final }.map(WireUtterance.init) }
        }
        let response = TranscriptionResponse(
          utterances: finals.withLock { $0 }, duration: seconds, language: "english")
        try await responder.send(
          response.body(for: upload.request),
          type: TranscriptionResponse.contentType(upload.request.format))
      }
    } catch {
      context.report(error, connection)
      try await responder.send(WireError(reporting: error))
    }
  }

  /// Server-sent events: the text as it grows, then the whole.
  private func stream(
    _ upload: TranscriptionService.Upload, _ service: TranscriptionService,
    _ responder: HTTPResponder
  ) async throws {
    try await responder.beginEvents()
    let said = Mutex((committed: CommittedText(), texts: [String]()))
    do {
      _ = try await service.transcribe(upload) { results in
        for result in results {
          let growth = said.withLock { said in
            if result.kind == .final, !result.text.isEmpty { said.texts.append(result.text) }
            return said.committed.growth(of: WireUtterance(result))
          }
          if let growth {
            try await responder.event(TranscriptionStreamEvent.delta(growth).text)
          }
        }
      }
      let text = said.withLock { $0.texts.joined(separator: " ") }
      try await responder.event(TranscriptionStreamEvent.done(text).text)
    } catch {
      // The head is out: the error comes as an event.
      context.report(error, connection)
      try await responder.event(
        TranscriptionStreamEvent.error(WireError(reporting: error)).text)
    }
    try await responder.event(TranscriptionStreamEvent.end.text)
    try await responder.endEvents()
  }
}
