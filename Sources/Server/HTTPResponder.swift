import NIOCore
import NIOHTTP1
import Wire

/// Writes the answers to one request.
struct HTTPResponder: Sendable {
  let request: HTTPRequestHead
  let outbound: HTTPService.Outbound
  let connection: Connection

  func send(
    _ body: String, status: HTTPResponseStatus = .ok, type: String = "text/plain; charset=utf-8"
  ) async throws {
    let buffer = ByteBuffer(string: body)
    var headers = self.headers(type)
    headers.add(name: "Content-Length", value: "\(buffer.readableBytes)")
    let head = HTTPResponseHead(version: request.version, status: status, headers: headers)
    try await connection.writing {
      try await outbound.write(
        contentsOf: request.method == .HEAD
          ? [.head(head), .end(nil)] : [.head(head), .body(buffer), .end(nil)])
    }
  }

  /// An error as OpenAI's clients expect it.
  ///
  /// - Parameter status: nil for the one that goes with the error.
  func send(_ error: WireError, status: HTTPResponseStatus? = nil) async throws {
    try await send(
      error.openAIBody, status: status ?? HTTPResponseStatus(statusCode: error.httpStatus),
      type: "application/json")
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
    var headers: HTTPHeaders = [
      "Content-Type": type, "Cache-Control": "no-store",
      "Connection": request.isKeepAlive ? "keep-alive" : "close",
    ]
    // A page whose origin was not allowed has been refused before.
    if let origin = request.headers.first(name: "origin") {
      headers.add(name: "Access-Control-Allow-Origin", value: origin)
      headers.add(name: "Access-Control-Allow-Headers", value: "authorization, content-type")
      headers.add(name: "Vary", value: "Origin")
    }
    return headers
  }
}
