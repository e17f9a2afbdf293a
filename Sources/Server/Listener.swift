public import Wire

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

  /// Whether it is spoken as plain bytes, and not over HTTP or WebSockets.
  var isBytes: Bool { self == .native || self == .wyoming }
  /// Whether its clients have a way to prove themselves.
  public var carriesToken: Bool { self != .wyoming }
}

/// A port and what is spoken on it: `native=127.0.0.1:7700`, `vosk=tls:[::1]:2700`,
/// `native=unix:/run/starling.sock`, `wyoming=stdio`, `http=systemd:web`.
public struct Listener: Hashable, Sendable, CustomStringConvertible {
  public enum Address: Hashable, Sendable {
    case network(NetworkAddress)
    /// Standard input and output: one conversation.
    case standardStreams
    /// A socket that systemd has opened, by the name that it gives it.
    case systemd(name: String)
  }

  public var service: Service
  public var address: Address
  /// Whether it speaks TLS.
  public var isEncrypted: Bool

  public init(_ service: Service, _ address: Address, isEncrypted: Bool = false) {
    self.service = service
    self.address = address
    self.isEncrypted = isEncrypted
  }

  /// - Throws: with what was expected and found.
  public init(parsing text: String) throws(ListenerError) {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2, let service = Service(rawValue: parts[0]) else {
      let names = Service.allCases.map(\.rawValue).joined(separator: ", ")
      throw ListenerError(text: text, reason: "expected SERVICE=ADDRESS, SERVICE one of \(names)")
    }
    let isEncrypted = parts[1].hasPrefix("tls:")
    let address = try Address(parsing: String(parts[1].dropFirst(isEncrypted ? 4 : 0)), of: text)
    if address == .standardStreams {
      guard service.isBytes, !isEncrypted else {
        throw ListenerError(text: text, reason: "only native and wyoming can be spoken over stdio")
      }
    }
    self.init(service, address, isEncrypted: isEncrypted)
  }

  /// Whether only this machine can reach it, as far as the address tells.
  public var isLocal: Bool {
    switch address {
    case .network(.unix), .standardStreams: true
    case .network(.tcp(let host, _)): ["127.0.0.1", "::1", "localhost"].contains(host)
    // `InheritedSockets` knows.
    case .systemd: false
    }
  }

  public var description: String {
    "\(service.rawValue)=\(isEncrypted ? "tls:" : "")\(address)"
  }
}

extension Listener.Address: CustomStringConvertible {
  fileprivate init(parsing text: String, of whole: String) throws(ListenerError) {
    if text == "stdio" {
      self = .standardStreams
      return
    }
    if text.hasPrefix("systemd:") {
      self = .systemd(name: String(text.dropFirst(8)))
      return
    }
    guard let address = NetworkAddress(text) else {
      throw ListenerError(
        text: whole, reason: "expected HOST:PORT, unix:PATH, stdio or systemd:NAME")
    }
    self = .network(address)
  }

  public var description: String {
    switch self {
    case .network(let address): "\(address)"
    case .standardStreams: "stdio"
    case .systemd(let name): "systemd:\(name)"
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
