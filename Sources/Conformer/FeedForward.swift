import Tensor

/// A residual feed-forward module: `x += s · W₂ f(W₁ LN(x))`.
struct FeedForward: Sendable {
  private let norm: LayerNorm
  private let linear1: Linear
  private let linear2: Linear
  private let activation: Activation
  /// s.
  private let scale: Float

  /// Half a module of a Conformer layer, with swish.
  init(
    norm: WeightReader, linears: WeightReader, _ config: EncoderConfig
  ) throws(WeightError) {
    let (width, inner) = (config.width, config.feedForwardWidth)
    self.norm = try norm.layerNorm(width)
    linear1 = try linears["linear1"].linear(inputs: width, outputs: inner)
    linear2 = try linears["linear2"].linear(inputs: inner, outputs: width)
    (activation, scale) = (.swish, 0.5)
  }

  /// The module of a Transformer layer, with ReLU.
  init(
    norm: WeightReader, linears: WeightReader, width: Int, innerWidth: Int
  ) throws(WeightError) {
    self.norm = try norm.layerNorm(width)
    linear1 = try linears["w_1"].linear(inputs: width, outputs: innerWidth)
    linear2 = try linears["w_2"].linear(inputs: innerWidth, outputs: width)
    (activation, scale) = (.relu, 1)
  }

  /// x: [rows, d].
  func step(_ x: MatrixView, scratch: ScratchArena) {
    scratch.scope {
      let normed = scratch.matrix(rows: x.rows, columns: x.columns)
      norm.apply(x, into: normed)
      let inner = scratch.matrix(rows: x.rows, columns: linear1.outputs)
      linear1.apply(normed, into: inner, activation: activation)
      linear2.add(inner, to: x, scale: scale)
    }
  }
}
