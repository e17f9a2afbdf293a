import ArgumentParser
import Client
import Wire

/// How a server is put under load.
struct LoadArguments: ParsableArguments {
  @Option(
    name: .customLong("load"),
    help: ArgumentHelp(
      "Sessions at once, each hearing the files in turn, from another file on.",
      valueName: "sessions"))
  var sessions: Int?

  @Option(help: "How often each session of --load hears all files. (default: 1)")
  var rounds: Int?

  @Option(
    help: ArgumentHelp("Seconds after which --load begins no more files.", valueName: "seconds"))
  var duration: Double?

  @Option(
    help: ArgumentHelp(
      "Seconds over which the sessions of --load begin. (default: 0.64)", valueName: "seconds"))
  var stagger: Double?

  @Flag(help: "Let --load send audio as fast as the server takes it.")
  var fast = false

  func validate() throws {
    guard let sessions else {
      guard rounds == nil, duration == nil, stagger == nil, !fast else {
        throw ValidationError("--rounds, --duration, --stagger and --fast go with --load")
      }
      return
    }
    guard (1...100_000).contains(sessions) else {
      throw ValidationError("--load is \(sessions), expected 1 to 100000")
    }
    guard rounds == nil || duration == nil else {
      throw ValidationError("choose --rounds or --duration, not both")
    }
    if let rounds, rounds < 1 {
      throw ValidationError("--rounds is \(rounds), expected 1 or more")
    }
    if let duration, !(duration > 0 && duration.isFinite) {
      throw ValidationError("--duration is \(duration), expected more than 0")
    }
    if let stagger, !(stagger >= 0 && stagger.isFinite) {
      throw ValidationError("--stagger is \(stagger), expected 0 or more")
    }
  }
}

extension ClientCommand {
  /// Puts the server under load and prints the report.
  func runLoad(_ sessions: Int, _ endpoint: Endpoint) async throws {
    let format = endpoint.protocol.audioFormat
    let audio = try files.map { file in
      let source = try source(file, sampleRate: format.sampleRate)
      var bytes: [UInt8] = []
      while let samples = try source.next() { bytes += format.bytes(of: samples) }
      return LoadGenerator.File(name: file, audio: bytes)
    }
    let generator = LoadGenerator(
      endpoint, sessions: sessions,
      length: load.duration.map { .seconds($0) } ?? .rounds(load.rounds ?? 1),
      // A chunk at the usual latency, so that the sessions' chunks are not complete all at once.
      stagger: load.stagger ?? 0.64, isPaced: !load.fast, files: audio)
    let report = await generator.run()
    try Terminal.print(self.format == .json ? report.json : report.text)
    guard report.isGood else {
      throw Terminal.failure("\(endpoint.address): \(report.summaryOfFaults)")
    }
  }
}
