import ArgumentParser
import Audio
import Conformer
import Foundation
import Recognizer
import Tensor

struct BenchCommand: ParsableCommand {
  enum Format: String, CaseIterable, ExpressibleByArgument { case text, json }

  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract:
      "Measure speed on this machine: real-time factors, stages, products, start-up, memory.",
    discussion: """
      Runs each latency over the audio on one thread, as many times as --repeats says, in turns, \
      and prints medians. The real-time factor is seconds of computing per second of audio. The \
      shares of the stages come from one more run of each.
      """)

  @Option(help: "Folder of the model, or the name of a shipped one. (default: starling-en-small)")
  var model: String?

  @Argument(help: "Audio files.")
  var files: [String]

  @Option(name: .customLong("latency"), help: "Latency to measure; repeatable.")
  var latencies: [Latency] = [.fullContext, .blocks(newFrames: 8, lookAheadFrames: 8)]

  @Option(help: "Runs of each measurement.")
  var repeats = 5

  @Option(help: "text or json.")
  var format = Format.text

  mutating func validate() throws {
    guard (1...1000).contains(repeats) else {
      throw ValidationError("--repeats is \(repeats), expected 1 to 1000")
    }
    // The same one may come under two names, 640ms and 8/8.
    var seen: Set<Latency> = []
    latencies = latencies.filter { seen.insert($0).inserted }
  }

  func run() throws {
    do {
      let report = try measure()
      try Terminal.print(format == .json ? report.json : report.text)
    } catch {
      throw Terminal.failure(error)
    }
  }

  private func measure() throws -> BenchReport {
    Parallel.setThreads(1)
    let directory = try ModelLocator.model(model)
    let startUp = try Timing.median((0..<repeats).map { _ in try Self.startUp(directory) })
    let recognizer = try RecognizerModel(directory: directory)
    let config = try ModelConfig.load(directory + "/config.json")
    let audio = try files.map { try Self.samples($0, recognizer.sampleRate) }
    let latencies = try measureLatencies(recognizer, config, audio)
    // With the audio, but before the matrices below, which are not the recogniser's.
    let peakMemory = Self.peakMemory()
    let openBLAS = OpenBLAS()
    let square = ProductRate(
      rows: 1024, inputs: 1024, outputs: 1024, openBLAS: openBLAS, repeats: repeats)
    return BenchReport(
      kernels: Kernels.instructionSet, sgemmGflops: max(square.gflops, square.openblasGflops ?? 0),
      startUpSeconds: startUp,
      audioSeconds: Self.seconds(audio, recognizer), files: audio.count, latencies: latencies,
      products: [1, 4, 8, 16, 64].map {
        ProductRate(
          rows: $0, inputs: config.encoder.width, outputs: config.encoder.feedForwardWidth,
          openBLAS: openBLAS, repeats: repeats)
      },
      encoderProducts: [4, 16, 250].map { Self.encoderProducts(config.encoder, rows: $0, repeats) },
      peakMemory: peakMemory)
  }

  private func measureLatencies(
    _ recognizer: RecognizerModel, _ config: ModelConfig, _ audio: [[Float]]
  ) throws -> [BenchReport.LatencyReport] {
    var times = Array(repeating: [Double](), count: latencies.count)
    for _ in 0..<repeats {
      for (index, latency) in latencies.enumerated() {
        times[index].append(Self.recognize(audio, recognizer, latency))
      }
    }
    let seconds = Self.seconds(audio, recognizer)
    return zip(latencies, times).map { latency, times in
      let operations = audio.reduce(0) { $0 + Self.operations($1.count, config, latency) }
      return BenchReport.LatencyReport(
        name: Self.name(latency), realTimeFactor: Timing.median(times) / seconds,
        gflops: operations / Timing.median(times) / 1e9,
        stages: Self.stages(audio, recognizer, latency))
    }
  }

  private static func seconds(_ audio: [[Float]], _ model: RecognizerModel) -> Double {
    Double(audio.reduce(0) { $0 + $1.count }) / Double(model.sampleRate)
  }

  private static func name(_ latency: Latency) -> String {
    if let named = Latency.named.first(where: { $0.latency == latency }) { return named.name }
    guard case .blocks(let newFrames, let lookAhead) = latency else { return "full" }
    return "\(newFrames)/\(lookAhead)"
  }

  private static func samples(_ path: String, _ rate: Int) throws -> [Float] {
    let reader = try AudioFileReader(path: path, sampleRate: rate)
    var samples: [Float] = []
    while true {
      let part = try reader.read(rate)
      if part.isEmpty { return samples }
      samples += part
    }
  }

  /// Seconds to recognise all of `audio`, features and search included.
  private static func recognize(
    _ audio: [[Float]], _ model: RecognizerModel, _ latency: Latency, stages: StageTimes? = nil
  ) -> Double {
    let workspace = Workspace()
    workspace.stageTimes = stages
    return Timing.seconds {
      for samples in audio {
        let stream = model.makeStream(
          RecognizerOptions(latency: latency, wantsPartials: false), workspace: workspace)
        _ = stream.accept(samples)
        _ = stream.finish()
      }
    }
  }

  private static func stages(
    _ audio: [[Float]], _ model: RecognizerModel, _ latency: Latency
  ) -> [(name: String, seconds: Double)] {
    let times = StageTimes()
    let total = recognize(audio, model, latency, stages: times)
    let stages = StageTimes.Stage.allCases.map { (name: $0.rawValue, seconds: times.seconds($0)) }
    return stages + [("other", total - stages.reduce(0) { $0 + $1.seconds })]
  }

  /// Operations of the matrix products that a signal of `samples` takes.
  private static func operations(
    _ samples: Int, _ config: ModelConfig, _ latency: Latency
  ) -> Double {
    let frames = ConformerEncoder.outputFrames(1 + samples / 160)
    var total = Double(frames) * config.subsamplingOperationsPerFrame
    let (newFrames, lookAhead) = latency.blockFrames
    for start in stride(from: 0, to: frames, by: newFrames) {
      total += config.stepOperations(
        rows: min(newFrames + lookAhead, frames - start),
        cached: min(start, config.streaming.leftFrames))
    }
    return total
  }

  /// The rate of all products of an encoder layer together.
  private static func encoderProducts(
    _ config: EncoderConfig, rows: Int, _ repeats: Int
  ) -> BenchReport.EncoderProducts {
    var (operations, seconds) = (0.0, 0.0)
    for shape in ProductRate.shapes(config) {
      let rate = ProductRate(
        rows: rows, inputs: shape.inputs, outputs: shape.outputs, openBLAS: nil, repeats: repeats)
      let work = 2e-9 * Double(rows * shape.inputs * shape.outputs * shape.count)
      operations += work
      seconds += work / rate.gflops
    }
    return BenchReport.EncoderProducts(rows: rows, gflops: operations / seconds)
  }

  /// Seconds of a process that loads the model and ends.
  private static func startUp(_ directory: String) throws -> Double {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    process.arguments = ["model", "info", directory]
    process.standardOutput = FileHandle.nullDevice
    let start = ContinuousClock.now
    try process.run()
    process.waitUntilExit()
    return Timing.seconds(ContinuousClock.now - start)
  }

  private static func peakMemory() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1024
  }
}
