import ArgumentParser
import Foundation
import Logging
import Server

/// Who may connect.
struct AccessArguments: ParsableArguments {
  @Option(help: ArgumentHelp("File of a text that clients must know.", valueName: "file"))
  var tokenFile: String?

  @Flag(help: "Take connections from other machines without a token.")
  var open = false

  @Option(
    help: ArgumentHelp(
      "Web pages that may connect, by their origin; repeatable.",
      valueName: "https://example.org"))
  var allowOrigin: [String] = []

  @Option(help: ArgumentHelp("Certificate for tls: listeners, PEM.", valueName: "file"))
  var tlsCertificate: String?

  @Option(help: ArgumentHelp("Its private key, PEM.", valueName: "file"))
  var tlsKey: String?

  func makeAccess() throws -> Access { Access(token: try token(), origins: Set(allowOrigin)) }

  func makeTLS() throws -> TLS? {
    guard tlsCertificate != nil || tlsKey != nil else { return nil }
    guard let tlsCertificate, let tlsKey else { throw TLSPairFault() }
    return try TLS(certificatePath: tlsCertificate, keyPath: tlsKey)
  }

  /// The text that clients must know, if any.
  func token() throws -> String? {
    try tokenFile.map(TokenFile.read)
  }

  /// - Throws: `ListenerError` if anybody could come in, and nobody has said that this is meant.
  func check(_ listener: Listener, isLocal: Bool) throws {
    if !isLocal, !open {
      guard tokenFile != nil else {
        throw ListenerError(
          text: "\(listener)",
          reason: "other machines can reach it; name a --token-file, or say --open")
      }
      guard listener.service.carriesToken else {
        throw ListenerError(
          text: "\(listener)",
          reason: "other machines can reach it, and its clients cannot give a token; say --open, "
            + "or listen to this machine only")
      }
    }
    if listener.isEncrypted, tlsCertificate == nil {
      throw ListenerError(
        text: "\(listener)", reason: "TLS needs a --tls-certificate and a --tls-key")
    }
  }
}

private struct TLSPairFault: Error, CustomStringConvertible {
  let description = "--tls-certificate and --tls-key go together; found one of them"
}

/// What sessions may cost.
struct LimitArguments: ParsableArguments {
  private static let standard = SessionLimits()

  @Option(help: "Sessions at once.")
  var maxSessions = standard.sessions

  @Option(help: "Connections at once.")
  var maxConnections = standard.connections

  @Option(help: "Seconds of audio in one session.")
  var maxAudioSeconds = standard.audioSeconds

  @Option(help: "Bytes of one WebSocket message.")
  var maxMessageBytes = standard.messageBytes

  @Option(help: "Bytes of an uploaded file.")
  var maxFileBytes = standard.fileBytes

  @Option(help: "Seconds in which a client must say its first message.")
  var handshakeSeconds = standard.handshakeSeconds

  @Option(help: "Seconds after which a silent connection is closed.")
  var idleSeconds = standard.idleSeconds

  @Option(help: "Seconds after which a client is dropped that does not read.")
  var unreadSeconds = standard.unreadSeconds

  @Option(help: "Seconds for which a resumable session waits for its lost client.")
  var resumeSeconds = standard.resumeSeconds

  @Option(help: "Seconds that clients have for their last results when the service ends.")
  var drainSeconds = standard.drainSeconds

  func validate() throws {
    for (name, value) in [
      ("--max-sessions", maxSessions), ("--max-connections", maxConnections),
      ("--max-message-bytes", maxMessageBytes), ("--max-file-bytes", maxFileBytes),
    ] where !(1...Int(Int32.max)).contains(value) {
      throw ValidationError("\(name) is \(value), expected 1 to \(Int32.max)")
    }
    for (name, value) in [
      ("--max-audio-seconds", maxAudioSeconds), ("--handshake-seconds", handshakeSeconds),
      ("--idle-seconds", idleSeconds), ("--unread-seconds", unreadSeconds),
      ("--resume-seconds", resumeSeconds), ("--drain-seconds", drainSeconds),
    ] where !(value > 0 && value <= 1e7) {
      throw ValidationError("\(name) is \(value), expected more than 0")
    }
  }

  var sessionLimits: SessionLimits {
    var limits = SessionLimits()
    limits.sessions = maxSessions
    limits.connections = maxConnections
    limits.audioSeconds = maxAudioSeconds
    limits.messageBytes = maxMessageBytes
    limits.fileBytes = maxFileBytes
    limits.handshakeSeconds = handshakeSeconds
    limits.idleSeconds = idleSeconds
    limits.unreadSeconds = unreadSeconds
    limits.resumeSeconds = resumeSeconds
    limits.drainSeconds = drainSeconds
    return limits
  }
}

/// What is logged, on standard error.
struct LoggingArguments: ParsableArguments {
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text, json
  }

  @Option(help: "How the log is written.")
  var logFormat = Format.text

  @Option(
    help: ArgumentHelp(
      "What is logged: errors only, or more.",
      valueName: Logger.Level.allCases.map(\.rawValue).joined(separator: "|")),
    transform: level)
  var logLevel = Logger.Level.info

  @Flag(help: "Log the texts of utterances too.")
  var logText = false

  private static func level(_ text: String) throws -> Logger.Level {
    guard let level = Logger.Level(rawValue: text) else {
      let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("the level is '\(text)', expected one of \(known)")
    }
    return level
  }

  func makeLogging() -> SessionLogging {
    var logger = Logger(label: "starling") { label in
      switch logFormat {
      case .text: StreamLogHandler.standardError(label: label)
      case .json: JSONLogHandler()
      }
    }
    logger.logLevel = logLevel
    return SessionLogging(logger, logsText: logText)
  }

  /// Says something about the service as a whole.
  func announce(_ message: String) {
    switch logFormat {
    case .text: Terminal.log(message)
    case .json: makeLogging().logger.info("\(message)")
    }
  }
}
