import Conformer
import Tensor

/// Operations per second of matrix products on one thread.
struct ProductRate: Encodable {
  let rows, inputs, outputs: Int
  /// In 10⁹ operations per second: of `Linear` with float32 weights, and of OpenBLAS if it is here.
  let gflops: Double
  let openblasGflops: Double?

  /// Both in turns, medians of `repeats`.
  init(rows: Int, inputs: Int, outputs: Int, openBLAS: OpenBLAS?, repeats: Int) {
    (self.rows, self.inputs, self.outputs) = (rows, inputs, outputs)
    let memory = [rows * inputs, inputs * outputs, rows * outputs].map { FloatStorage(count: $0) }
    defer { withExtendedLifetime(memory) {} }
    for storage in memory {
      for index in 0..<storage.count { storage.pointer[index] = Float(index % 7) - 3 }
    }
    let (x, weight, y) = (memory[0], memory[1], memory[2])
    let layer = Linear(weight: weight, bias: nil, inputs: inputs)
    let operations = 2e-9 * Double(rows * inputs * outputs)
    // Long enough for the clock, short enough for many turns.
    let calls = max(1, Int(0.05 / operations))
    var times = (ours: [Double](), openBLAS: [Double]())
    for _ in 0..<repeats {
      times.ours.append(
        Timing.seconds {
          for _ in 0..<calls {
            layer.apply(x.view(columns: inputs), into: y.view(columns: outputs))
          }
        })
      guard let openBLAS else { continue }
      times.openBLAS.append(
        Timing.seconds {
          for _ in 0..<calls {
            openBLAS.multiply(
              x.pointer, weight.pointer, into: y.pointer, m: rows, n: outputs, k: inputs)
          }
        })
    }
    gflops = operations * Double(calls) / Timing.median(times.ours)
    openblasGflops =
      openBLAS == nil ? nil : operations * Double(calls) / Timing.median(times.openBLAS)
  }

  /// The products of one encoder layer over a block of `rows` frames: inputs, outputs and how many.
  static func shapes(_ config: EncoderConfig) -> [(inputs: Int, outputs: Int, count: Int)] {
    let (d, f) = (config.width, config.feedForwardWidth)
    return [(d, f, 2), (f, d, 2), (d, 3 * d, 1), (d, 2 * d, 1), (d, d, 2)]
  }
}
