import CKernels
import Tensor

/// Self-attention of every row over the rows of its own prefix: `x += W_o Attention(LN(x))`.
struct CausalSelfAttention: Sendable {
  private let heads: Int
  private let norm: LayerNorm
  private let queryKeyValue: Linear  // [d, 3 d]
  private let output: Linear

  /// - Parameters:
  ///   - norm: at the tensors of the norm before it.
  ///   - reader: at `linear_q`, `linear_k`, `linear_v`, `linear_out`.
  init(
    norm: WeightReader, _ reader: WeightReader, width: Int, heads: Int
  ) throws(WeightError) {
    self.heads = heads
    self.norm = try norm.layerNorm(width)
    queryKeyValue = try reader.sideBySide(
      ["linear_q", "linear_k", "linear_v"], inputs: width, outputs: width)
    output = try reader["linear_out"].linear(inputs: width, outputs: width)
  }

  /// - Parameters:
  ///   - x: [rows, d], replaced by the module's output.
  ///   - cache: keys and values of earlier steps and, in its last rows, room for those of `x`;
  ///     [cached + rows, 2 d]. Without one the rows attend each other. Its rows are what
  ///     `rows.lineage` counts.
  func step(_ x: MatrixView, rows: DecoderRows, cache: MatrixView?, scratch: ScratchArena) {
    scratch.scope {
      let width = x.columns
      let normed = scratch.matrix(rows: x.rows, columns: width)
      norm.apply(x, into: normed)
      let projected = scratch.matrix(rows: x.rows, columns: 3 * width)
      queryKeyValue.apply(normed, into: projected)
      var keysValues = projected.columns(width..<3 * width)
      if let cache {
        cache.rows(cache.rows - x.rows..<cache.rows).copy(from: keysValues)
        keysValues = cache
      }
      // What attention gathers may overwrite the normed rows: they are projected already.
      let context = normed
      let longest = rows.visible.reduce(0) { max($0, $1.count) }
      let scores = scratch.matrix(rows: 1, columns: longest)
      let depth = width / heads
      for row in 0..<x.rows {
        let visible = rows.visible[row]
        Kernels.active.gathered_attention(
          projected.pointer + row * projected.stride, keysValues.pointer,
          keysValues.pointer + width, keysValues.stride, rows.lineage + visible.lowerBound,
          visible.count, heads, depth, 1 / Float(depth).squareRoot(), scores.pointer,
          context.pointer + row * context.stride)
      }
      output.add(context, to: x)
    }
  }
}
