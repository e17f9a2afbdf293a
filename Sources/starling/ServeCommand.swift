import ArgumentParser
import Foundation
import Logging
import Recognizer
import Server

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Transcribe many live streams that come over sockets.",
    discussion: """
      Every --listen opens a port and says what is spoken there: native (docs/protocols.md), vosk, \
      wenet, sherpa, sherpa-python, wyoming, or http (OpenAI's transcriptions, health, metrics):

        starling serve --listen native=unix:/run/starling.sock --listen vosk=127.0.0.1:2700

      SIGTERM and Control-C end the service: what was received is still heard and answered.
      """)

  @OptionGroup var recognition: RecognitionArguments
  @OptionGroup var decoding: DecodingArguments

  @Option(
    name: .customLong("listen"),
    help: ArgumentHelp(
      "A port and what is spoken there; repeatable.", valueName: "service=host:port|unix:path"))
  var listeners: [String]

  @Option(help: ArgumentHelp("File of a text that clients must know.", valueName: "file"))
  var tokenFile: String?

  @Flag(help: "Take connections from other machines without a token.")
  var open = false

  @Option(help: "Threads that decode. (default: one for each processor core)")
  var decoderThreads: Int?

  @Option(help: "Sessions at once.")
  var maxSessions = 200

  @Option(help: "Seconds after which a silent connection is closed.")
  var idleSeconds = 60.0

  func validate() throws {
    guard !listeners.isEmpty else { throw ValidationError("name a port by --listen") }
    if let decoderThreads, !(1...256).contains(decoderThreads) {
      throw ValidationError("--decoder-threads is \(decoderThreads), expected 1 to 256")
    }
    guard (1...100_000).contains(maxSessions) else {
      throw ValidationError("--max-sessions is \(maxSessions), expected 1 to 100000")
    }
    guard idleSeconds > 0, idleSeconds.isFinite else {
      throw ValidationError("--idle-seconds is \(idleSeconds), expected more than 0")
    }
  }

  func run() async throws {
    do {
      let server = try makeServer()
      let signals = Self.onTermination { server.drain() }
      defer { for signal in signals { signal.cancel() } }
      try await server.run { listeners in
        for listener in listeners { Terminal.log("listening: \(listener)") }
        Terminal.log("ready")
      }
    } catch {
      throw Terminal.failure(error)
    }
  }

  private func makeServer() throws -> Server {
    let listeners = try listeners.map { try Listener(parsing: $0) }
    let token = try tokenFile.map(TokenFile.read)
    for listener in listeners where !listener.isLocal && token == nil && !open {
      throw ListenerError(
        text: "\(listener)",
        reason: "other machines can reach it; name a --token-file, or say --open")
    }
    let model = try recognition.loadModel()
    var limits = SessionLimits()
    limits.sessions = maxSessions
    limits.idleSeconds = idleSeconds
    let engine = Engine(
      model: model,
      defaults: RecognizerOptions(
        latency: recognition.latency, leftContext: recognition.leftContext,
        endpointRules: decoding.endpointRules,
        voiceActivityDetector: try decoding.voiceActivityDetector(),
        decoding: try decoding.options(model)),
      limits: limits, scheduling: .init(threads: decoderThreads))
    var logger = Logger(label: "starling") { StreamLogHandler.standardError(label: $0) }
    logger.logLevel = .info
    return Server(engine: engine, listeners: listeners, token: token, logger: logger)
  }

  /// Calls `body` on the first SIGTERM or SIGINT.
  private static func onTermination(
    _ body: @escaping @Sendable () -> Void
  ) -> [any DispatchSourceSignal] {
    [SIGTERM, SIGINT].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler(handler: body)
      source.resume()
      return source
    }
  }
}
