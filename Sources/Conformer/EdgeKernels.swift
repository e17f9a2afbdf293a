import Tensor

/// Makes up for the frames that the last rows of a cut-off block do not see in the depthwise
/// convolution, where zeros stand for them: what these frames would add is guessed from the last
/// K frames that are seen, linearly and in each channel alone, by a kernel for each number of frames
/// to a row's right.
struct EdgeKernels: Sendable {
  /// ⌊kernel / 2⌋, the rows that lack frames.
  private let side: Int
  /// [side, K, d]
  private let weights: EdgeWeights
  /// γ/σ of the batch norm. [d]
  private let scale: FloatStorage

  /// Reads `edge_kernels` below `conv`; nil if the model has none.
  ///
  /// - Parameter scale: γ/σ of the batch norm. [d]
  init?(
    _ conv: WeightReader, _ config: EncoderConfig, scale: FloatStorage
  ) throws(WeightError) {
    guard let taps = config.edgeTaps, taps > 0 else { return nil }
    side = config.convolutionKernel / 2
    weights = try conv.edgeWeights("edge_kernels", rows: side, taps: taps, width: config.width)
    self.scale = scale
  }

  /// Adds to `rows` of a block's depthwise outputs, behind the batch norm, what the frames beyond the
  /// block would.
  ///
  /// - Parameters:
  ///   - input: the depthwise inputs, `side` cached rows and the block's. [side + n, d]
  ///   - output: [n, d].
  func add(from input: MatrixView, to output: MatrixView, _ rows: Range<Int>) {
    let n = output.rows
    let rows = rows.clamped(to: max(n - side, 0)..<n)
    weights.add(from: input, scale: scale, to: output.rows(rows), first: n - rows.upperBound)
  }
}
