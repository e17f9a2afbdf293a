/// What is spoken on a port.
public enum Service: String, CaseIterable, Codable, Sendable {
  /// Starling's own protocol: docs/protocols.md.
  case native
  case vosk
  case wenet
  case sherpa
  case sherpaPython = "sherpa-python"
  case wyoming
  /// OpenAI's transcriptions, health, readiness and metrics.
  case http
}

/// A port and what is spoken on it: `native=127.0.0.1:7700`, `vosk=[::1]:2700`,
/// `native=unix:/run/starling.sock`.
public struct Listener: Hashable, Sendable, CustomStringConvertible {
  public enum Address: Hashable, Sendable {
    /// Port 0 takes any that is free.
    case tcp(host: String, port: Int)
    case unix(path: String)
  }

  public var service: Service
  public var address: Address

  public init(_ service: Service, _ address: Address) {
    self.service = service
    self.address = address
  }

  /// - Throws: with what was expected and found.
  public init(parsing text: String) throws(ListenerError) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2, let service = Service(rawValue: parts[0]) else {
      let names = Service.allCases.map(\.rawValue).joined(separator: ", ")
      throw ListenerError(text: text, reason: "expected SERVICE=ADDRESS, SERVICE one of \(names)")
    }
    self.init(service, try Address(parsing: parts[1], of: text))
  }

  /// Whether only this machine can reach it.
  public var isLocal: Bool {
    switch address {
    case .unix: true
    case .tcp(let host, _): ["127.0.0.1", "::1", "localhost"].contains(host)
    }
  }

  public var description: String { "\(service.rawValue)=\(address)" }
}

extension Listener.Address: CustomStringConvertible {
  fileprivate init(parsing text: String, of whole: String) throws(ListenerError) {
    if text.hasPrefix("unix:") {
      let path = String(text.dropFirst(5))
      guard !path.isEmpty, path.utf8.count < 108 else {
        throw ListenerError(text: whole, reason: "expected unix:PATH of 1 to 107 bytes")
      }
      self = .unix(path: path)
      return
    }
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65_535).contains(port)
    else { throw ListenerError(text: whole, reason: "expected HOST:PORT or unix:PATH") }
    let host = text[..<colon].trimmingPrefix("[")
    self = .tcp(host: host.hasSuffix("]") ? String(host.dropLast()) : String(host), port: port)
  }

  public var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }
}

/// A listener that cannot be.
public struct ListenerError: Error, Equatable, CustomStringConvertible {
  public let text: String
  public let reason: String

  public init(text: String, reason: String) {
    self.text = text
    self.reason = reason
  }

  public var description: String { "listener '\(text)': \(reason)" }
}
