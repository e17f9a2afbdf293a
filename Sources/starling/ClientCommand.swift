import ArgumentParser
import Audio
import Client
import Transcripts
import Wire

extension ClientProtocol: ExpressibleByArgument {}

/// The address of a server, `tls:` before it if what is said is encrypted.
struct ServerArgument: ExpressibleByArgument {
  var address: NetworkAddress
  var isEncrypted = false

  init(_ address: NetworkAddress) { self.address = address }

  init?(argument: String) {
    isEncrypted = argument.hasPrefix("tls:")
    guard let address = NetworkAddress(String(argument.dropFirst(isEncrypted ? 4 : 0))) else {
      return nil
    }
    if case .tcp(_, port: 0) = address { return nil }
    self.address = address
  }
}

struct ClientCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "client",
    abstract: "Have a server transcribe audio, or put it under load.",
    discussion: """
      Speaks every protocol of 'starling serve', and so with the servers they come from:

        starling client --server unix:/run/starling.sock talk.mp3
        sox talk.wav -t wav - | starling client --protocol vosk --server 127.0.0.1:2700 -

      With --load, so many sessions hear the files at the speed of speech, and a report follows.
      """)

  @Argument(help: "Audio files, or - for WAV or headerless PCM on standard input.")
  var files: [String]

  @Option(
    help: ArgumentHelp(
      "The server. (default: the protocol's usual port on this machine)",
      valueName: "[tls:]host:port|unix:path"))
  var server: ServerArgument?

  @Option(
    help: ArgumentHelp(
      "Certificates that vouch for a tls: server, PEM. (default: the system's)",
      valueName: "file"))
  var tlsCA: String?

  @Option(name: .customLong("protocol"), help: "What is spoken.")
  var spoken: ClientProtocol = .native

  @OptionGroup var raw: RawAudioArguments
  @OptionGroup var request: RequestArguments
  @OptionGroup var load: LoadArguments

  @Flag(help: "Send audio at the speed of speech.")
  var realtime = false

  @Option(
    help: ArgumentHelp(
      "text for people; jsonl for programs, with every change; of --load, text or json.",
      valueName: "text|jsonl|json"))
  var format: TranscriptFormat = .text

  func validate() throws {
    try request.check(spoken)
    let forPrograms: TranscriptFormat = load.sessions == nil ? .jsonl : .json
    guard format == .text || format == forPrograms else {
      throw ValidationError(
        "--format is \(format.rawValue), expected text or \(forPrograms.rawValue)")
    }
    guard files.count(where: { $0 == "-" }) <= 1 else {
      throw ValidationError("standard input (-) can be named once")
    }
    if load.sessions != nil, files.contains("-") {
      throw ValidationError("--load hears files, not standard input (-)")
    }
  }

  func run() async throws {
    do {
      let server = server ?? ServerArgument(.tcp(host: "127.0.0.1", port: spoken.usualPort))
      let endpoint = Endpoint(
        server.address, tls: server.isEncrypted ? try ClientTLS(authorities: tlsCA) : nil, spoken,
        options: try request.options())
      if let sessions = load.sessions { return try await runLoad(sessions, endpoint) }
      for file in files { try await hear(file, endpoint) }
    } catch let error as ExitCode {
      throw error
    } catch {
      throw Terminal.failure(error)
    }
  }

  /// Prints what the server hears in one file.
  private func hear(_ file: String, _ endpoint: Endpoint) async throws {
    if file == "-" { StandardInput.endOnInterrupt() }
    let format = endpoint.protocol.audioFormat
    let feed = AudioFeed(try source(file, sampleRate: format.sampleRate))
    let writer = ClientWriter(format: self.format, file: file)
    let session = ClientSession(endpoint, isPaced: realtime, progress: writer.write)
    do {
      try await session.run(
        .stream { try await feed.next().map { format.bytes(of: $0) } })
    } catch let error as ClientError {
      let name = file == "-" ? "standard input" : file
      throw Terminal.failure("\(endpoint.address), '\(name)': \(error)")
    }
  }

  func source(_ file: String, sampleRate: Int) throws -> AudioSource {
    file == "-"
      ? try AudioSource(live: raw, sampleRate: sampleRate)
      : try AudioSource(path: file, raw: raw, sampleRate: sampleRate)
  }
}
