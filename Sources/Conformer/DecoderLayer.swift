import CKernels
import Tensor

/// One pre-norm Transformer decoder layer, tensors named as WeNet's `DecoderLayer`:
/// `x += SelfAttention(LN₁(x)); x += CrossAttention(LN₂(x)); x += W₂ relu(W₁ LN₃(x))`.
struct DecoderLayer: Sendable {
  /// Keys and values of the encoder's frames. [d, 2 d]
  let memoryProjection: Linear
  private let heads: Int
  private let norm1: LayerNorm
  private let queryKeyValue: Linear  // [d, 3 d]
  private let selfOutput: Linear
  private let norm2: LayerNorm
  private let query: Linear
  private let crossOutput: Linear
  private let norm3: LayerNorm
  private let linear1: Linear
  private let linear2: Linear
  /// Queries per tile: bounds the score matrix over a long utterance.
  private static let tile = 64

  init(_ reader: WeightReader, _ config: DecoderConfig) throws(WeightError) {
    let (d, inner) = (config.width, config.feedForwardWidth)
    func square(_ attention: String, _ name: String) throws(WeightError) -> Linear {
      try reader[attention][name].linear(inputs: d, outputs: d)
    }
    heads = config.heads
    norm1 = try reader["norm1"].layerNorm(d)
    norm2 = try reader["norm2"].layerNorm(d)
    norm3 = try reader["norm3"].layerNorm(d)
    queryKeyValue = try reader["self_attn"].sideBySide(
      ["linear_q", "linear_k", "linear_v"], inputs: d, outputs: d)
    selfOutput = try square("self_attn", "linear_out")
    query = try square("src_attn", "linear_q")
    memoryProjection = try reader["src_attn"].sideBySide(
      ["linear_k", "linear_v"], inputs: d, outputs: d)
    crossOutput = try square("src_attn", "linear_out")
    linear1 = try reader["feed_forward"]["w_1"].linear(inputs: d, outputs: inner)
    linear2 = try reader["feed_forward"]["w_2"].linear(inputs: inner, outputs: d)
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
    scratch.scope {
      let normed = scratch.matrix(rows: x.rows, columns: x.columns)
      let context = scratch.matrix(rows: x.rows, columns: x.columns)
      norm1.apply(x, into: normed)
      attendPrefixes(normed, rows: rows, cache: cache, into: context, scratch: scratch)
      selfOutput.add(context, to: x)

      norm2.apply(x, into: normed)
      let queries = scratch.matrix(rows: x.rows, columns: x.columns)
      query.apply(normed, into: queries)
      for group in rows.groups {
        for start in stride(from: group.rows.lowerBound, to: group.rows.upperBound, by: Self.tile) {
          let tile = start..<min(start + Self.tile, group.rows.upperBound)
          attendMemory(
            queries, RowGroup(utterance: group.utterance, rows: tile), memory, layer: layer,
            into: context, crossWeights: crossWeights, scratch: scratch)
        }
      }
      crossOutput.add(context, to: x)

      norm3.apply(x, into: normed)
      let inner = scratch.matrix(rows: x.rows, columns: linear1.outputs)
      linear1.apply(normed, into: inner, activation: .relu)
      linear2.add(inner, to: x)
    }
  }

  /// Causal self-attention: every row over the rows of its own prefix. normed, context: [rows, d]
  private func attendPrefixes(
    _ normed: MatrixView, rows: DecoderRows, cache: MatrixView?, into context: MatrixView,
    scratch: ScratchArena
  ) {
    scratch.scope {
      let width = normed.columns
      let projected = scratch.matrix(rows: normed.rows, columns: 3 * width)
      queryKeyValue.apply(normed, into: projected)
      var keysValues = projected.columns(width..<3 * width)
      if let cache {
        cache.rows(cache.rows - normed.rows..<cache.rows).copy(from: keysValues)
        keysValues = cache
      }
      let longest = rows.visible.reduce(0) { max($0, $1.count) }
      let scores = scratch.matrix(rows: 1, columns: longest)
      let depth = width / heads
      for row in 0..<normed.rows {
        let visible = rows.visible[row]
        Kernels.active.gathered_attention(
          projected.pointer + row * projected.stride, keysValues.pointer,
          keysValues.pointer + width, keysValues.stride, rows.lineage + visible.lowerBound,
          visible.count, heads, depth, 1 / Float(depth).squareRoot(), scores.pointer,
          context.pointer + row * context.stride)
      }
    }
  }

  /// Cross-attention of some rows over their utterance. queries, context: [all rows, d]
  private func attendMemory(
    _ queries: MatrixView, _ group: RowGroup, _ memory: CrossAttentionMemory, layer: Int,
    into context: MatrixView, crossWeights: ((CrossAttentionWeights) -> Void)?,
    scratch: ScratchArena
  ) {
    let keys = memory.keys(layer: layer, utterance: group.utterance)
    let values = memory.values(layer: layer, utterance: group.utterance)
    let (queries, context) = (queries.rows(group.rows), context.rows(group.rows))
    guard keys.rows > 0 else { return context.fill(0) }
    scratch.scope {
      let scores = scratch.matrix(rows: queries.rows, columns: keys.rows)
      let depth = queries.columns / heads
      for head in 0..<heads {
        let part = head * depth..<(head + 1) * depth
        MatrixProduct.multiplyTransposed(queries.columns(part), keys.columns(part), into: scores)
        Kernels.active.softmax(
          scores.pointer, scores.stride, scores.rows, scores.columns,
          1 / Float(depth).squareRoot())
        crossWeights?(
          CrossAttentionWeights(
            utterance: group.utterance, head: head, rows: group.rows, weights: scores))
        MatrixProduct.multiply(scores, values.columns(part), into: context.columns(part))
      }
    }
  }
}
