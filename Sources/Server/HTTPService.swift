import NIOCore
import NIOHTTP1
import Recognizer
import Synchronization
import Wire

/// HTTP/1.1: OpenAI's transcriptions, health, readiness and metrics.
struct HTTPService {
  let context: ServerContext
  let connection: Connection

  typealias Inbound = NIOAsyncChannelInboundStream<HTTPServerRequestPart>
  typealias Outbound = NIOAsyncChannelOutboundWriter<HTTPPart<HTTPResponseHead, ByteBuffer>>

  private static let transcriptions = "/v1/audio/transcriptions"

  func run(_ inbound: Inbound, _ outbound: Outbound) async {
    do {
      var head: HTTPRequestHead?
      var upload: Result<TranscriptionService.Collector, any Error>?
      for try await part in inbound {
        connection.touch()
        switch part {
        case .head(let new):
          head = new
          upload = nil
          if new.method == .POST, Self.path(new) == Self.transcriptions {
            upload = Result { try TranscriptionService.Collector(new, context) }
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
          let responder = HTTPResponder(request: request, outbound: outbound)
          if let upload {
            try await transcribe(upload, responder)
          } else {
            try await answer(request, responder)
          }
          if !request.isKeepAlive || context.isDraining { return }
        }
      }
    } catch {
      context.log(error, of: "http")
    }
  }

  private static func path(_ request: HTTPRequestHead) -> String {
    String(request.uri.prefix { $0 != "?" })
  }

  private func answer(_ request: HTTPRequestHead, _ responder: HTTPResponder) async throws {
    let path = Self.path(request)
    guard request.method == .GET else {
      return try await responder.send(
        WireError(.notFound, "\(request.method) \(path) is not possible here"),
        status: path == Self.transcriptions ? .notFound : .methodNotAllowed)
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
      let model = OpenAIModel(id: context.engine.model.name)
      try await responder.send(OpenAIModel.list([model]), type: "application/json")
    case "/v1/models/" + context.engine.model.name:
      try await responder.send(
        OpenAIModel(id: context.engine.model.name).json, type: "application/json")
    default:
      try await responder.send(
        WireError(.notFound, "no such page: \(path)"), status: .notFound)
    }
  }

  private func transcribe(
    _ collected: Result<TranscriptionService.Collector, any Error>, _ responder: HTTPResponder
  ) async throws {
    let service = TranscriptionService(context: context, connection: connection)
    do {
      var collector = try collected.get()
      let upload = try collector.finish(context)
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
      context.log(error, of: "http")
      let reported = WireError(reporting: error)
      try await responder.send(
        reported, status: HTTPResponseStatus(statusCode: reported.httpStatus))
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
      context.log(error, of: "http")
      try await responder.event(
        TranscriptionStreamEvent.error(WireError(reporting: error)).text)
    }
    try await responder.event(TranscriptionStreamEvent.end.text)
    try await responder.endEvents()
  }
}

/// Writes the answers to one request.
struct HTTPResponder: Sendable {
  let request: HTTPRequestHead
  let outbound: HTTPService.Outbound

  func send(
    _ body: String, status: HTTPResponseStatus = .ok, type: String = "text/plain; charset=utf-8"
  ) async throws {
    let buffer = ByteBuffer(string: body)
    var headers = self.headers(type)
    headers.add(name: "Content-Length", value: "\(buffer.readableBytes)")
    try await outbound.write(contentsOf: [
      .head(HTTPResponseHead(version: request.version, status: status, headers: headers)),
      .body(buffer), .end(nil),
    ])
  }

  /// An error as OpenAI's clients expect it.
  func send(_ error: WireError, status: HTTPResponseStatus) async throws {
    try await send(error.openAIBody, status: status, type: "application/json")
  }

  func beginEvents() async throws {
    let headers = self.headers("text/event-stream")
    try await outbound.write(
      .head(HTTPResponseHead(version: request.version, status: .ok, headers: headers)))
  }

  func event(_ text: String) async throws {
    try await outbound.write(.body(ByteBuffer(string: text)))
  }

  func endEvents() async throws { try await outbound.write(.end(nil)) }

  private func headers(_ type: String) -> HTTPHeaders {
    [
      "Content-Type": type, "Cache-Control": "no-store",
      "Connection": request.isKeepAlive ? "keep-alive" : "close",
    ]
  }
}
