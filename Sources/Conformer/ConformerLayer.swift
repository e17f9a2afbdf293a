import Tensor

/// Half a residual feed-forward module: `x += ½ W₂ swish(W₁ LN(x))`.
struct FeedForward: Sendable {
  private let norm: LayerNorm
  private let linear1: Linear
  private let linear2: Linear

  init(
    norm: WeightReader, linears: WeightReader, _ config: EncoderConfig
  ) throws(WeightError) {
    self.norm = try norm.layerNorm(config.width)
    linear1 = try linears["linear1"].linear(
      inputs: config.width, outputs: config.feedForwardWidth)
    linear2 = try linears["linear2"].linear(
      inputs: config.feedForwardWidth, outputs: config.width)
  }

  /// x: [rows, d].
  func step(_ x: MatrixView, scratch: ScratchArena) {
    scratch.scope {
      let normed = scratch.matrix(rows: x.rows, columns: x.columns)
      norm.apply(x, into: normed)
      let inner = scratch.matrix(rows: x.rows, columns: linear1.outputs)
      linear1.apply(normed, into: inner, activation: .swish)
      linear2.add(inner, to: x, scale: 0.5)
    }
  }
}

/// One Conformer layer, tensors named as NeMo's `ConformerLayer`:
/// `x += ½FF₁; x += MHA; x += Conv; x += ½FF₂; x = LN(x)`.
struct ConformerLayer: Sendable {
  let attention: RelPositionMultiHeadAttention
  private let feedForward1: FeedForward
  private let convolution: ConvolutionModule
  private let feedForward2: FeedForward
  private let normOut: LayerNorm

  init(_ reader: WeightReader, _ config: EncoderConfig) throws(WeightError) {
    feedForward1 = try FeedForward(
      norm: reader["norm_feed_forward1"], linears: reader["feed_forward1"], config)
    attention = try RelPositionMultiHeadAttention(reader, config)
    convolution = try ConvolutionModule(reader, config)
    feedForward2 = try FeedForward(
      norm: reader["norm_feed_forward2"], linears: reader["feed_forward2"], config)
    normOut = try reader["norm_out"].layerNorm(config.width)
  }

  /// x: [rows of all blocks, d], replaced by the layer's output.
  func step(
    _ x: MatrixView, blocks: [EncoderBlock], layer: Int, positions: RelativePositions,
    scratch: ScratchArena
  ) {
    feedForward1.step(x, scratch: scratch)
    attention.step(x, blocks: blocks, layer: layer, positions: positions, scratch: scratch)
    convolution.step(x, blocks: blocks, layer: layer, scratch: scratch)
    feedForward2.step(x, scratch: scratch)
    normOut.apply(x, into: x)
  }
}
