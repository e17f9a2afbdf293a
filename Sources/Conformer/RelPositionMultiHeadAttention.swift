import CKernels
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
  /// Queries per tile: bounds the score matrices of a long block.
  private static let tile = 64

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
      let (cached, n) = (cache.validRows, projected.rows)
      // Keys and values of the left context and the block, one after the other. [cached + n, d]
      let keys = scratch.matrix(rows: cached + n, columns: width)
      let values = scratch.matrix(rows: cached + n, columns: width)
      keys.rows(0..<cached).copy(from: cache.keys(layer))
      values.rows(0..<cached).copy(from: cache.values(layer))
      keys.rows(cached..<cached + n).copy(from: projected.columns(width..<2 * width))
      values.rows(cached..<cached + n).copy(from: projected.columns(2 * width..<3 * width))

      for start in stride(from: 0, to: n, by: Self.tile) {
        let queries = start..<min(start + Self.tile, n)
        attendTile(
          projected.rows(queries).columns(0..<width), keys: keys, values: values,
          positions: positions.columns(
            layer: layer, queries: queries, cached: cached, keys: keys.rows),
          into: context.rows(queries), scratch: scratch)
      }
      let final = cached + block.finalRows
      cache.store(layer, keys: keys.rows(0..<final), values: values.rows(0..<final))
    }
  }

  /// One tile of queries. queries, context: [t, d]; positions: [d, keys + t - 1].
  private func attendTile(
    _ queries: MatrixView, keys: MatrixView, values: MatrixView, positions: MatrixView,
    into context: MatrixView, scratch: ScratchArena
  ) {
    scratch.scope {
      let (t, m, depth) = (queries.rows, keys.rows, width / heads)
      let withU = scratch.matrix(rows: t, columns: width)
      let withV = scratch.matrix(rows: t, columns: width)
      for (biased, bias) in [(withU, biasU), (withV, biasV)] {
        Kernels.active.add_row(
          queries.pointer, queries.stride, t, width, bias.pointer, biased.pointer, biased.stride)
      }
      let scores = scratch.matrix(rows: t, columns: m)
      let shifted = scratch.matrix(rows: t, columns: m + t - 1)
      let scale = 1 / Float(depth).squareRoot()
      for head in 0..<heads {
        let part = head * depth..<(head + 1) * depth
        MatrixProduct.multiplyTransposed(
          withU.columns(part), keys.columns(part), into: scores)
        MatrixProduct.multiply(withV.columns(part), positions.rows(part), into: shifted)
        Kernels.active.relative_softmax(
          scores.pointer, m, shifted.pointer, shifted.stride, t - 1, t, m, scale)
        MatrixProduct.multiply(scores, values.columns(part), into: context.columns(part))
      }
    }
  }
}
