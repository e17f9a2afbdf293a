import NIOCore
import NIOHTTP1

/// Health, readiness and metrics over HTTP/1.1.
struct HTTPService {
  let context: ServerContext

  typealias Inbound = NIOAsyncChannelInboundStream<HTTPServerRequestPart>
  typealias Outbound = NIOAsyncChannelOutboundWriter<HTTPPart<HTTPResponseHead, ByteBuffer>>

  func run(_ inbound: Inbound, _ outbound: Outbound) async {
    do {
      var head: HTTPRequestHead?
      for try await part in inbound {
        switch part {
        case .head(let new): head = new
        case .body: continue
        case .end:
          guard let request = head else { continue }
          try await answer(request, outbound)
          if !request.isKeepAlive { return }
        }
      }
    } catch {
      context.log(error, of: "http")
    }
  }

  private func answer(_ request: HTTPRequestHead, _ outbound: Outbound) async throws {
    let path = request.uri.prefix { $0 != "?" }
    guard request.method == .GET else {
      return try await send(.methodNotAllowed, "only GET is possible here\n", request, outbound)
    }
    switch path {
    case "/healthz": try await send(.ok, "ok\n", request, outbound)
    case "/readyz":
      guard !context.isDraining else {
        return try await send(.serviceUnavailable, "going down\n", request, outbound)
      }
      // Decodes on the scheduler's threads: hangs if they do.
      await context.engine.probe()
      try await send(.ok, "ready\n", request, outbound)
    case "/metrics":
      try await send(
        .ok, context.engine.metrics.text, request, outbound,
        type: "text/plain; version=0.0.4; charset=utf-8")
    default: try await send(.notFound, "no such page: \(path)\n", request, outbound)
    }
  }

  private func send(
    _ status: HTTPResponseStatus, _ body: String, _ request: HTTPRequestHead, _ outbound: Outbound,
    type: String = "text/plain; charset=utf-8"
  ) async throws {
    let buffer = ByteBuffer(string: body)
    let headers: HTTPHeaders = [
      "Content-Type": type, "Content-Length": "\(buffer.readableBytes)",
      "Connection": request.isKeepAlive ? "keep-alive" : "close",
    ]
    try await outbound.write(
      contentsOf: [
        .head(HTTPResponseHead(version: request.version, status: status, headers: headers)),
        .body(buffer), .end(nil),
      ])
  }
}
