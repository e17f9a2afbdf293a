import Tensor

/// Multi-head attention with relative positions (Dai et al. 2019):
/// `score_ij = [(q_i + u)·k_j + (q_i + v)·W_p PE(i - j)] / √d_k`.
struct RelPositionMultiHeadAttention: Sendable {
  let projectionOfPositions: Linear  // no bias
  private let heads: Int
  private let width: Int
  private let norm: LayerNorm
  private let queryKeyValue: Linear  // [d, 3 d]
  private let output: Linear
  private let biasU: FloatStorage  // [d]
  private let biasV: FloatStorage  // [d]

  init(_ reader: WeightReader, _ config: EncoderConfig) throws(WeightError) {
    heads = config.heads
    width = config.width
    norm = try reader["norm_self_att"].layerNorm(width)
    let attention = reader["self_attn"]
    queryKeyValue = try attention.sideBySide(
      ["linear_q", "linear_k", "linear_v"], inputs: width, outputs: width)
    output = try attention["linear_out"].linear(inputs: width, outputs: width)
    projectionOfPositions = try attention["linear_pos"].linear(
      inputs: width, outputs: width, bias: false)
    biasU = try attention.tensor("pos_bias_u", [heads, width / heads])
    biasV = try attention.tensor("pos_bias_v", [heads, width / heads])
  }

  /// Adds attention over each block and its left context to `x`, and moves the caches of layer
  /// `layer` on. x: [rows of all blocks, d].
  func step(
    _ x: MatrixView, blocks: [EncoderBlock], layer: Int, positions: RelativePositions,
    scratch: ScratchArena
  ) {
    scratch.scope {
      let normed = scratch.matrix(rows: x.rows, columns: width)
      norm.apply(x, into: normed)
      let projected = scratch.matrix(rows: x.rows, columns: 3 * width)
      queryKeyValue.apply(normed, into: projected)
      let context = scratch.matrix(rows: x.rows, columns: width)
      for block in blocks {
        attend(
          projected.rows(block.range), block: block, layer: layer, positions: positions,
          into: context.rows(block.range), scratch: scratch)
      }
      output.add(context, to: x)
    }
  }

  /// One block. projected: [n, 3 d] queries, keys, values; context: [n, d].
  private func attend(
    _ projected: MatrixView, block: EncoderBlock, layer: Int, positions: RelativePositions,
    into context: MatrixView, scratch: ScratchArena
  ) {
    scratch.scope {
      let cache = block.cache
      let cached = cache.validRows
      let keys = projected.columns(width..<2 * width)
      let values = projected.columns(2 * width..<3 * width)
      // Those of the left context and then the block's.
      let total = cached + keys.rows
      let packed = scratch.matrix(
        rows: 1, columns: AttentionMemory.count(keys: total, heads: heads, width: width))
      let memory = AttentionMemory(
        keys: total, heads: heads, width: width, memory: packed.pointer)
      memory.pack(keys: cache.keys(layer), values: cache.values(layer), at: 0)
      memory.pack(keys: keys, values: values, at: cached)
      memory.attend(
        queries: projected.columns(0..<width), biasU: biasU, biasV: biasV,
        positions: positions.columns(
          layer: layer, queries: keys.rows, cached: cached),
        into: context, scratch: scratch)
      let final = 0..<block.finalRows
      cache.store(layer, keys: keys.rows(final), values: values.rows(final))
    }
  }
}
