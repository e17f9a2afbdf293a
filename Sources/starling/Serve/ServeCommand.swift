import ArgumentParser
import Foundation
import Logging
import Recognizer
import Server
import Synchronization

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Transcribe many live streams that come over sockets.",
    discussion: """
      Every --listen opens a port and says what is spoken there: native (docs/protocols.md), vosk, \
      wenet, sherpa, sherpa-python, wyoming, or http (OpenAI's transcriptions and Realtime, health, \
      metrics):

        starling serve --listen native=unix:/run/starling.sock --listen vosk=127.0.0.1:2700

      An address is HOST:PORT, unix:PATH, stdio (native and wyoming: one conversation over standard \
      input and output) or systemd:NAME (a socket that systemd has opened); tls: before it encrypts.

      SIGTERM and Control-C end the service: what was received is still heard and answered. SIGHUP \
      reads model, language models, hot words, token and certificate anew; streams that are open \
      keep what they have.
      """)

  @OptionGroup var recognition: RecognitionArguments
  @OptionGroup var decoding: DecodingArguments
  @OptionGroup var access: AccessArguments
  @OptionGroup var limits: LimitArguments
  @OptionGroup var logging: LoggingArguments

  @Option(
    name: .customLong("listen"),
    help: ArgumentHelp(
      "A port and what is spoken there; repeatable.", valueName: "service=address"))
  var listeners: [String] = []

  @Option(help: "Threads that decode. (default: one for each processor core)")
  var decoderThreads: Int?

  @Option(
    help: ArgumentHelp(
      "YAML file of these options, without the dashes; the command line counts more.",
      valueName: "file"))
  var config: String?

  @Flag(help: "Load everything, say whether it is good, and end.")
  var checkConfig = false

  func validate() throws {
    if let decoderThreads, !(1...256).contains(decoderThreads) {
      throw ValidationError("--decoder-threads is \(decoderThreads), expected 1 to 256")
    }
  }

  func run() async throws {
    do {
      let settings = try effective()
      if checkConfig {
        try Terminal.print(try settings.check())
      } else {
        try await settings.serve(reload: effective)
      }
    } catch {
      throw Terminal.failure(error)
    }
  }

  /// This command with what the configuration file says at the moment.
  private func effective() throws -> ServeCommand {
    guard let config else { return self }
    let given = Array(CommandLine.arguments.dropFirst(2))
    return try ConfigurationFile(path: config).merged(with: given, as: ServeCommand.self)
  }

  // MARK: With the configuration file taken in

  private func serve(reload: @escaping () throws -> ServeCommand) async throws {
    let systemd = SystemdNotifier(environment: ProcessInfo.processInfo.environment)
    let sessionLogging = logging.makeLogging()
    let (tls, access) = (try access.makeTLS(), try access.makeAccess())
    let inherited = InheritedSockets(environment: ProcessInfo.processInfo.environment)
    let server = Server(
      engine: Engine(
        try loadModel(), limits: limits.sessionLimits, scheduling: .init(threads: decoderThreads)),
      listeners: try parsedListeners(inherited), access: access, tls: tls, inherited: inherited,
      logging: sessionLogging)
    let reloading = Reloading(reload: reload)
    let signals = [
      Signals.on(SIGTERM, SIGINT) {
        systemd.notify("STOPPING=1")
        server.drain()
      },
      Signals.on(SIGHUP) {
        systemd.notifyReloading()
        do {
          let fresh = try reloading.reload()
          try tls?.reload()
          access.replaceToken(try fresh.access.token())
          server.replaceModel(try fresh.loadModel())
        } catch {
          sessionLogging.logger.error(
            "nothing is reloaded that cannot be read", metadata: ["error": "\(error)"])
        }
        systemd.notify("READY=1")
      },
    ].flatMap { $0 }
    defer { for signal in signals { signal.cancel() } }
    let watchdog = systemd.watch { await server.probe() }
    defer { watchdog?.cancel() }
    try await server.run { listeners in
      for listener in listeners { logging.announce("listening: \(listener)") }
      logging.announce("ready")
      systemd.notify("READY=1")
    }
  }

  /// - Returns: what would be listened to.
  private func check() throws -> String {
    let listeners = try parsedListeners(nil)
    _ = (try access.makeTLS(), try access.makeAccess())
    let model = try loadModel().model
    return (["model: \(model.name)"] + listeners.map { "listener: \($0)" } + ["good"])
      .joined(separator: "\n") + "\n"
  }

  /// - Parameter inherited: nil if systemd's sockets are not there yet, and cannot be judged.
  private func parsedListeners(_ inherited: InheritedSockets?) throws -> [Listener] {
    guard !listeners.isEmpty else { throw NoListener() }
    let listeners = try listeners.map { try Listener(parsing: $0) }
    for listener in listeners {
      let isLocal =
        if case .systemd = listener.address { inherited?.isLocal(listener) ?? true } else {
          listener.isLocal
        }
      try access.check(listener, isLocal: isLocal)
    }
    return listeners
  }

  private func loadModel() throws -> LoadedModel {
    let model = try recognition.makeModel()
    return LoadedModel(
      model,
      defaults: RecognizerOptions(
        latency: recognition.latency, leftContext: recognition.leftContext,
        endpointRules: decoding.endpointRules,
        voiceActivityDetector: try decoding.voiceActivityDetector(),
        decoding: try decoding.options(model)))
  }
}

/// Reads the settings again, on one signal after the other.
private final class Reloading: @unchecked Sendable {
  let reload: () throws -> ServeCommand
  init(reload: @escaping () throws -> ServeCommand) { self.reload = reload }
}

private struct NoListener: Error, CustomStringConvertible {
  let description = "nothing to listen to; name a port by --listen SERVICE=ADDRESS"
}
