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

  /// Whether the client would talk over a WebSocket.
  var wantsWebSocket: Bool { headers.contains(name: "sec-websocket-key") }

  /// Whether the request can become a WebSocket: RFC 6455, section 4.2.1.
  fileprivate var isHandshake: Bool {
    func holds(_ name: String, _ value: String) -> Bool {
      headers[canonicalForm: name].map { $0.lowercased() }.contains(value)
    }
    let keys = headers["sec-websocket-key"].map { Data(base64Encoded: $0)?.count }
    return method == .GET && headers.contains(name: "host") && holds("upgrade", "websocket")
      && holds("connection", "upgrade") && headers["sec-websocket-version"] == ["13"]
      && keys == [16]
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
    guard request.isHandshake else {
      throw WireError(.malformed, "expected the handshake of a WebSocket of version 13")
    }
  }
}

extension String {
  /// nil without the prefix.
  fileprivate func dropping(prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }
}
