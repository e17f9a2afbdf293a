import Tensor

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
    scratch.timed(.feedForward) { feedForward1.step(x, scratch: scratch) }
    scratch.timed(.attention) {
      attention.step(x, blocks: blocks, layer: layer, positions: positions, scratch: scratch)
    }
    scratch.timed(.convolution) {
      convolution.step(x, blocks: blocks, layer: layer, scratch: scratch)
    }
    scratch.timed(.feedForward) {
      feedForward2.step(x, scratch: scratch)
      normOut.apply(x, into: x)
    }
  }
}
