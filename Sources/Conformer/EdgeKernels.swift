import Tensor

/// Makes up for the frames that the last rows of a cut-off block do not see in the depthwise
/// convolution, where zeros stand for them: what these frames would add is guessed from the last
/// K frames that are seen, linearly and in each channel alone, by a kernel for each number of frames
/// to a row's right.
struct EdgeKernels: Sendable {
  private let width: Int
  /// K, at most side + 1.
  private let taps: Int
  /// ⌊kernel / 2⌋, the rows that lack frames.
  private let side: Int
  /// Kernel r is that of the row with r rows to its right; its taps are in the order of the frames,
  /// the last frame's last. [side, K, d]
  private let kernels: FloatStorage

  /// Reads `edge_kernels` [side, K, d], which has the last frame's tap first; nil if the model has
  /// none.
  ///
  /// - Parameter scale: γ/σ of the batch norm, which is folded in. [d]
  init?(_ conv: WeightReader, _ config: EncoderConfig, scale: [Float]) throws(WeightError) {
    guard let taps = config.edgeTaps, taps > 0 else { return nil }
    (width, side) = (config.width, config.convolutionKernel / 2)
    self.taps = taps
    let stored = try conv.tensor("edge_kernels", [side, taps, width])
    kernels = FloatStorage(count: stored.count)
    for row in 0..<side {
      for tap in 0..<taps {
        let source = stored.pointer + (row * taps + tap) * width
        let target = kernels.pointer + (row * taps + taps - 1 - tap) * width
        for channel in 0..<width { target[channel] = source[channel] * scale[channel] }
      }
    }
  }

  /// Adds to `rows` of a block's depthwise outputs what the frames beyond the block would.
  ///
  /// - Parameters:
  ///   - input: the depthwise inputs, `side` cached rows and the block's. [side + n, d]
  ///   - output: [n, d].
  func add(from input: MatrixView, to output: MatrixView, _ rows: Range<Int>) {
    let n = output.rows
    let last = input.rows(input.rows - taps..<input.rows)
    for row in rows.clamped(to: max(n - side, 0)..<n) {
      let kernel = kernels.pointer + (n - 1 - row) * taps * width
      let sum = output.rows(row..<row + 1).pointer
      Kernels.active.depthwise(last.pointer, 1, width, kernel, sum, taps, sum)
    }
  }
}
