import Foundation
import NIOHTTP1
import Wire

extension HTTPRequestHead {
  /// Without the query.
  var path: String { String(uri.prefix { $0 != "?" }) }

  /// The value of a field of the query.
  func query(_ name: String) -> String? {
    URLComponents(string: uri)?.queryItems?.first { $0.name == name }?.value
  }

  var wantsWebSocket: Bool {
    headers[canonicalForm: "upgrade"].contains { $0.lowercased() == "websocket" }
  }

  /// What the client proves itself by: a header, or where browsers cannot set one, the name of a
  /// WebSocket protocol, as OpenAI's clients do, or a field of the query.
  var bearerToken: String? {
    let headers = headers["authorization"].compactMap { $0.dropping(prefix: "Bearer ") }
    let protocols = webSocketProtocols.compactMap {
      $0.dropping(prefix: "openai-insecure-api-key.")
    }
    return headers.first ?? protocols.first ?? query("token")
  }

  var webSocketProtocols: [String] {
    headers[canonicalForm: "sec-websocket-protocol"].map(String.init)
  }
}

extension ServerContext {
  static let realtimePath = "/v1/realtime"

  /// - Throws: for a web page that is not allowed to ask anything.
  func checkOrigin(of request: HTTPRequestHead) throws(WireError) {
    guard !access.admits(origins: request.headers["origin"]) else { return }
    throw WireError(
      .forbidden, "pages of \(request.headers["origin"].joined(separator: ", ")) are not allowed")
  }

  /// - Throws: if the request may not become a WebSocket.
  func checkUpgrade(of request: HTTPRequestHead, _ service: Service) throws(WireError) {
    try checkOrigin(of: request)
    guard service != .http || request.path == Self.realtimePath else {
      throw WireError(.notFound, "no WebSocket at \(request.path), only at \(Self.realtimePath)")
    }
    try authorize(request.bearerToken)
  }
}

extension String {
  /// nil without the prefix.
  fileprivate func dropping(prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }
}
