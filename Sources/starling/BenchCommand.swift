import ArgumentParser
import Audio
import Conformer
import Foundation
import Recognizer
import Tensor

struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure speed on this machine: real-time factors, matrix rate, start-up, memory.",
    discussion: """
      Runs each latency over the audio on one thread, as many times as --repeats says, in turns \
      with a large matrix product, and prints medians. The real-time factor is seconds of \
      computing per second of audio.
      """)

  @Option(help: "Folder of the model. (default: the shipped one)")
  var model: String?

  @Argument(help: "Audio files.")
  var files: [String]

  @Option(name: .customLong("latency"), help: "Latency to measure; repeatable.")
  var latencies: [Latency] = [.fullContext, .blocks(newFrames: 8, lookAheadFrames: 8)]

  @Option(help: "Runs of each measurement.")
  var repeats = 5

  func validate() throws {
    guard (1...1000).contains(repeats) else {
      throw ValidationError("--repeats is \(repeats), expected 1 to 1000")
    }
  }

  func run() throws {
    do {
      try measure()
    } catch {
      throw Terminal.failure(error)
    }
  }

  private func measure() throws {
    Parallel.setThreads(1)
    let directory = try model ?? ModelLocator.shippedModel()
    let startUp = try Self.median((0..<repeats).map { _ in try Self.startUp(directory) })
    let recognizer = try RecognizerModel(directory: directory)
    let config = try ModelConfig.load(directory + "/config.json")
    let audio = try files.map { try Self.samples($0, recognizer.sampleRate) }
    let seconds = Double(audio.reduce(0) { $0 + $1.count }) / Double(recognizer.sampleRate)

    var times = Array(repeating: [Double](), count: latencies.count)
    var rates: [Double] = []
    for _ in 0..<repeats {
      rates.append(Self.matrixRate())
      for (index, latency) in latencies.enumerated() {
        times[index].append(Self.recognize(audio, recognizer, latency))
      }
    }
    let rate = Self.median(rates)
    var lines = [
      "kernels      \(Kernels.instructionSet), one thread",
      Self.line("sgemm", rate / 1e9, "GFLOP/s by OpenBLAS at 1024 x 1024 x 1024"),
      Self.line("start-up", startUp * 1000, "ms for a process that loads the model"),
      Self.line("audio", seconds, "s in \(audio.count) files"),
    ]
    for (index, latency) in latencies.enumerated() {
      let time = Self.median(times[index])
      let operations = audio.reduce(0) { $0 + Self.operations($1.count, config, latency) }
      lines.append(
        Self.column(Self.name(latency))
          + String(
            format: "real-time factor %.4f (%.0fx), %.1f GFLOP/s in all: %.0f %% of sgemm",
            time / seconds, seconds / time, operations / time / 1e9,
            100 * operations / time / rate))
    }
    lines += Self.productLines(repeats: repeats)
    lines.append(Self.line("memory", Double(Self.peakKilobytes()) / 1024, "MiB at most"))
    try Terminal.print(lines.joined(separator: "\n") + "\n")
  }

  private static func line(_ name: String, _ value: Double, _ unit: String) -> String {
    column(name) + String(format: "%.1f ", value) + unit
  }

  private static func column(_ name: String) -> String {
    name.padding(toLength: 13, withPad: " ", startingAt: 0)
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
    _ audio: [[Float]], _ model: RecognizerModel, _ latency: Latency
  ) -> Double {
    let workspace = Workspace()
    return time {
      for samples in audio {
        let stream = model.makeStream(
          RecognizerOptions(latency: latency, wantsPartials: false), workspace: workspace)
        _ = stream.accept(samples)
        _ = stream.finish()
      }
    }
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

  /// The packed product of `Linear` against OpenBLAS at the rows of streaming blocks, in turns.
  private static func productLines(repeats: Int) -> [String] {
    let (inputs, outputs) = (176, 704)
    let weight = FloatStorage(count: inputs * outputs)
    for index in 0..<weight.count { weight.pointer[index] = Float(index % 7) - 3 }
    let layer = Linear(weight: weight, bias: nil, inputs: inputs)
    return [1, 4, 8, 16, 64].map { rows in
      let (x, y) = (FloatStorage(count: rows * inputs), FloatStorage(count: rows * outputs))
      for index in 0..<x.count { x.pointer[index] = Float(index % 5) - 2 }
      let (a, b, c) = (
        x.view(columns: inputs), weight.view(columns: outputs), y.view(columns: outputs)
      )
      let calls = 20_000 / rows
      var times = (packed: [Double](), openBLAS: [Double]())
      for _ in 0..<repeats {
        times.packed.append(time { for _ in 0..<calls { layer.apply(a, into: c) } })
        times.openBLAS.append(
          time { for _ in 0..<calls { MatrixProduct.multiply(a, b, into: c) } })
      }
      withExtendedLifetime((x, y, weight)) {}
      let operations = 2 * Double(rows * inputs * outputs * calls) / 1e9
      let rates = (operations / median(times.packed), operations / median(times.openBLAS))
      return column("\(rows) rows")
        + String(
          format: "%.1f GFLOP/s packed, %.1f by OpenBLAS, 176 to 704: %.1f times", rates.0,
          rates.1, rates.0 / rates.1)
    }
  }

  /// Operations per second of a large product.
  private static func matrixRate() -> Double {
    let size = 1024
    let (a, b) = (FloatStorage(count: size * size), FloatStorage(count: size * size))
    let c = FloatStorage(count: size * size)
    for index in 0..<size * size {
      a.pointer[index] = Float(index % 7) - 3
      b.pointer[index] = Float(index % 5) - 2
    }
    let seconds = time {
      for _ in 0..<5 {
        MatrixProduct.multiply(
          a.view(columns: size), b.view(columns: size), into: c.view(columns: size))
      }
    }
    return 5 * 2 * Double(size * size * size) / seconds
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
    return Self.seconds(ContinuousClock.now - start)
  }

  private static func peakKilobytes() -> Int {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss
  }

  private static func time(_ body: () -> Void) -> Double {
    seconds(ContinuousClock().measure(body))
  }

  private static func seconds(_ duration: Duration) -> Double {
    let (seconds, attoseconds) = duration.components
    return Double(seconds) + Double(attoseconds) / 1e18
  }

  private static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
  }
}
