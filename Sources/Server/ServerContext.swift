import Foundation
import Logging
import Recognizer
import Wire

/// What every connection of a server shares.
struct ServerContext: Sendable {
  let engine: Engine
  let connections: Connections
  let logger: Logger
  /// What clients must know; nil if anybody may connect.
  let token: String?

  var isDraining: Bool { connections.isDraining }

  func open(
    _ options: RecognizerOptions, isBackground: Bool = false
  ) throws(SessionError) -> Session {
    guard !isDraining else { throw .draining }
    return try engine.open(options, isBackground: isBackground)
  }

  /// - Throws: if the client does not know the server's token.
  func authorize(_ given: String?) throws(WireError) {
    guard let token else { return }
    guard let given, Self.areEqual(given, token) else {
      engine.metrics.count(error: "unauthorized")
      throw WireError(.unauthorized, "expected the server's token", field: "token")
    }
  }

  /// Compares in a time that tells nothing about where texts differ.
  static func areEqual(_ one: String, _ other: String) -> Bool {
    let (one, other) = (Array(one.utf8), Array(other.utf8))
    var difference = one.count ^ other.count
    for index in one.indices { difference |= Int(one[index] ^ other[index % max(1, other.count)]) }
    return difference == 0
  }

  func log(_ error: any Error, of service: String) {
    let reported = WireError(reporting: error)
    engine.metrics.count(error: reported.code.rawValue)
    let level: Logger.Level = reported.code == .internalError ? .error : .info
    logger.log(
      level: level, "connection ended by an error",
      metadata: ["service": "\(service)", "code": "\(reported.code.rawValue)", "error": "\(error)"])
  }
}
