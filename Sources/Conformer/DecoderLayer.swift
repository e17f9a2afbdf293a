import Tensor

/// One pre-norm Transformer decoder layer, tensors named as WeNet's `DecoderLayer`:
/// `x += SelfAttention(LN₁(x)); x += CrossAttention(LN₂(x)); x += W₂ relu(W₁ LN₃(x))`.
struct DecoderLayer: Sendable {
  /// Keys and values of the encoder's frames and their places. [d + p, 2 d]
  let memoryProjection: Linear
  let heads: Int
  private let selfAttention: CausalSelfAttention
  private let norm2: LayerNorm
  private let query: Linear
  private let crossOutput: Linear
  private let feedForward: FeedForward

  init(_ reader: WeightReader, _ config: DecoderConfig) throws(WeightError) {
    let (d, cross) = (config.width, reader["src_attn"])
    heads = config.heads
    selfAttention = try CausalSelfAttention(
      norm: reader["norm1"], reader["self_attn"], width: d, heads: heads)
    norm2 = try reader["norm2"].layerNorm(d)
    query = try cross["linear_q"].linear(inputs: d, outputs: d)
    memoryProjection = try cross.sideBySide(
      ["linear_k", "linear_v"], inputs: d + (config.positionWidth ?? 0), outputs: d)
    crossOutput = try cross["linear_out"].linear(inputs: d, outputs: d)
    feedForward = try FeedForward(
      norm: reader["norm3"], linears: reader["feed_forward"], width: d,
      innerWidth: config.feedForwardWidth)
  }

  /// - Parameters:
  ///   - x: [rows, d], replaced by the layer's output.
  ///   - cache: keys and values of earlier steps and, in its last rows, room for those of `x`;
  ///     [cached + rows, 2 d]. Without one the rows attend each other. Its rows are what
  ///     `rows.lineage` counts.
  ///   - crossWeights: receives the weights of the cross-attention.
  func step(
    _ x: MatrixView, rows: DecoderRows, cache: MatrixView?, memory: CrossAttentionMemory,
    layer: Int, crossWeights: ((CrossAttentionWeights) -> Void)?, scratch: ScratchArena
  ) {
    selfAttention.step(x, rows: rows, cache: cache, scratch: scratch)
    scratch.scope {
      let normed = scratch.matrix(rows: x.rows, columns: x.columns)
      let context = scratch.matrix(rows: x.rows, columns: x.columns)
      norm2.apply(x, into: normed)
      let queries = scratch.matrix(rows: x.rows, columns: x.columns)
      query.apply(normed, into: queries)
      for group in rows.groups {
        attendMemory(
          queries.rows(group.rows), group, memory, layer: layer, into: context.rows(group.rows),
          crossWeights: crossWeights, scratch: scratch)
      }
      crossOutput.add(context, to: x)
    }
    feedForward.step(x, scratch: scratch)
  }

  /// Cross-attention of some rows over their utterance. queries, context: [rows of the group, d]
  private func attendMemory(
    _ queries: MatrixView, _ group: RowGroup, _ memory: CrossAttentionMemory, layer: Int,
    into context: MatrixView, crossWeights: ((CrossAttentionWeights) -> Void)?,
    scratch: ScratchArena
  ) {
    let (rows, frames) = (queries.rows, memory.utterances[group.utterance].count)
    guard frames > 0 else { return context.fill(0) }
    let memory = memory.memory(layer: layer, utterance: group.utterance)
    guard let crossWeights else {
      return memory.attend(queries: queries, into: context, scratch: scratch)
    }
    scratch.scope {
      let weights = scratch.matrix(rows: heads * rows, columns: frames)
      memory.attend(queries: queries, into: context, weights: weights, scratch: scratch)
      for head in 0..<heads {
        crossWeights(
          CrossAttentionWeights(
            utterance: group.utterance, head: head, rows: group.rows,
            weights: weights.rows(head * rows..<(head + 1) * rows)))
      }
    }
  }
}
