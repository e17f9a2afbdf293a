import Foundation

/// What `starling bench` has measured.
struct BenchReport: Encodable {
  /// Instruction set of the kernels.
  var kernels: String
  /// GFLOP/s of a product of 1024³: the larger of ours and OpenBLAS's.
  var sgemmGflops: Double
  /// Seconds of a process that loads the model and ends.
  var startUpSeconds: Double
  var audioSeconds: Double
  var files: Int
  var latencies: [LatencyReport]
  var products: [ProductRate]
  /// GFLOP/s of the products of a whole encoder layer, by rows.
  var encoderProducts: [EncoderProducts]
  /// Largest memory of this process in bytes.
  var peakMemory: Int

  struct LatencyReport {
    var name: String
    /// Seconds of computing per second of audio.
    var realTimeFactor: Double
    /// Of the matrix products alone, over the whole time.
    var gflops: Double
    /// Seconds by stage of one run over all audio; the rest is "other".
    var stages: [(name: String, seconds: Double)]
  }

  struct EncoderProducts: Encodable {
    var rows: Int
    var gflops: Double
  }

  private enum Key: String, CodingKey {
    case kernels, sgemmGflops, startUpSeconds, audioSeconds, files, latencies, stages, products
    case encoderProducts, peakMemory
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(kernels, forKey: .kernels)
    try container.encode(sgemmGflops, forKey: .sgemmGflops)
    try container.encode(startUpSeconds, forKey: .startUpSeconds)
    try container.encode(audioSeconds, forKey: .audioSeconds)
    try container.encode(files, forKey: .files)
    let factors = latencies.map {
      ($0.name, ["real_time_factor": $0.realTimeFactor, "gflops": $0.gflops])
    }
    try container.encode(Dictionary(uniqueKeysWithValues: factors), forKey: .latencies)
    let stages = latencies.map { latency in
      (latency.name, Dictionary(uniqueKeysWithValues: latency.stages.map { ($0.name, $0.seconds) }))
    }
    try container.encode(Dictionary(uniqueKeysWithValues: stages), forKey: .stages)
    try container.encode(products, forKey: .products)
    try container.encode(encoderProducts, forKey: .encoderProducts)
    try container.encode(peakMemory, forKey: .peakMemory)
  }

  var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.keyEncodingStrategy = .convertToSnakeCase
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
  }

  var text: String {
    var lines = [
      "kernels      \(kernels), one thread",
      line("sgemm", "%.1f GFLOP/s at 1024 x 1024 x 1024", sgemmGflops),
      line("start-up", "%.1f ms for a process that loads the model", startUpSeconds * 1000),
      line("audio", "%.1f s in \(files) files", audioSeconds),
    ]
    for latency in latencies {
      lines.append(
        line(
          latency.name, "real-time factor %.5f (%.0fx), %.1f GFLOP/s in all: %.0f %% of sgemm",
          latency.realTimeFactor, 1 / latency.realTimeFactor, latency.gflops,
          100 * latency.gflops / sgemmGflops))
      let total = latency.stages.reduce(0) { $0 + $1.seconds }
      let shares = latency.stages.filter { $0.seconds > 0 }.map {
        String(format: "\($0.name) %.1f", 100 * $0.seconds / total)
      }
      lines.append(line("", "%% of it: " + shares.joined(separator: ", ")))
    }
    for product in products {
      let rival = product.openblasGflops.map {
        String(format: ", %.1f by OpenBLAS: %.1f times", $0, product.gflops / $0)
      }
      lines.append(
        line(
          "\(product.rows) rows",
          "%.1f GFLOP/s, \(product.inputs) to \(product.outputs)\(rival ?? "")", product.gflops))
    }
    for encoder in encoderProducts {
      lines.append(
        line(
          "a layer", "%.1f GFLOP/s in the products over \(encoder.rows) rows: %.0f %% of sgemm",
          encoder.gflops, 100 * encoder.gflops / sgemmGflops))
    }
    lines.append(line("memory", "%.1f MiB at most", Double(peakMemory) / 0x1p20))
    return lines.joined(separator: "\n") + "\n"
  }

  private func line(_ name: String, _ format: String, _ values: Double...) -> String {
    name.padding(toLength: 13, withPad: " ", startingAt: 0)
      + String(format: format, arguments: values)
  }
}
