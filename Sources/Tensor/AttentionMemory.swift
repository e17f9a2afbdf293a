import CKernels

/// Keys and values of some frames, packed in somebody's memory for the attention of queries.
public struct AttentionMemory {
  /// Floats that `attend` may read behind the last position.
  public static let positionPadding = Int(CK_POSITION_PADDING)

  private let keys: Int
  private let heads: Int
  private let width: Int
  private let packed: UnsafeMutablePointer<Float>

  /// Floats that `keys` frames of `heads` heads take, `width` floats in all.
  public static func count(keys: Int, heads: Int, width: Int) -> Int {
    Kernels.active.attention_packed_count(keys, heads, width / heads)
  }

  /// - Parameter memory: room for `count` floats, 64-byte aligned.
  public init(keys: Int, heads: Int, width: Int, memory: UnsafeMutablePointer<Float>) {
    precondition(width % heads == 0)
    (self.keys, self.heads, self.width, packed) = (keys, heads, width, memory)
  }

  /// Packs the frames from `first` on; the last of all must come last. keys, values: [n, width] of
  /// the same stride.
  public func pack(keys: MatrixView, values: MatrixView, at first: Int) {
    precondition(keys.columns == width && values.columns == width && keys.rows == values.rows)
    precondition(keys.stride == values.stride && first + keys.rows <= self.keys)
    Kernels.active.pack_attention(
      keys.pointer, values.pointer, keys.stride, first, keys.rows, self.keys, heads, width / heads,
      packed)
  }

  /// Attention of each query: `y_i = Σ_j softmax_j(q_i·k_j / √d_k) v_j` in every head.
  ///
  /// - Parameters:
  ///   - queries: [n, width].
  ///   - y: [n, width].
  ///   - weights: receives the softmaxes, [heads · n, keys] without gaps.
  public func attend(
    queries: MatrixView, into y: MatrixView, weights: MatrixView? = nil, scratch: ScratchArena
  ) {
    var block = block(queries)
    if let weights {
      precondition(weights.rows == heads * queries.rows && weights.columns == keys)
      precondition(weights.stride == keys)
      block.weights = weights.pointer
    }
    run(block, into: y, scratch: scratch)
  }

  /// Attention of each query with relative positions (Dai et al. 2019, section 3.3):
  /// `y_i = Σ_j softmax_j([(q_i + u)·k_j + (q_i + v)·p_(n - 1 - i + j)] / √d_k) v_j` in every head.
  ///
  /// - Parameters:
  ///   - queries: [n, width].
  ///   - biasU: and biasV, [width].
  ///   - positions: projected positions, [width, n + keys - 1], with `positionPadding` floats behind
  ///     the last.
  ///   - y: [n, width].
  public func attend(
    queries: MatrixView, biasU: FloatStorage, biasV: FloatStorage, positions: MatrixView,
    into y: MatrixView, scratch: ScratchArena
  ) {
    precondition(positions.rows == width && positions.columns == queries.rows + keys - 1)
    precondition(biasU.count == width && biasV.count == width)
    var block = block(queries)
    block.bias_u = UnsafePointer(biasU.pointer)
    block.bias_v = UnsafePointer(biasV.pointer)
    block.positions = UnsafePointer(positions.pointer)
    block.position_stride = positions.stride
    run(block, into: y, scratch: scratch)
  }

  private func block(_ queries: MatrixView) -> ck_attention {
    precondition(queries.columns == width && keys > 0)
    var block = ck_attention()
    block.queries = UnsafePointer(queries.pointer)
    (block.rows, block.query_stride) = (queries.rows, queries.stride)
    (block.heads, block.depth) = (heads, width / heads)
    (block.packed, block.keys) = (UnsafePointer(packed), keys)
    block.scale = 1 / Float(width / heads).squareRoot()
    return block
  }

  private func run(_ block: ck_attention, into y: MatrixView, scratch: ScratchArena) {
    precondition(y.rows == block.rows && y.columns == width)
    guard block.rows > 0 else { return }
    let room = Kernels.active.attention_scratch_count(keys, block.depth)
    // Weights are laid out for all rows at once.
    let parts = block.weights == nil ? Parallel.parts(rows: block.rows) : 1
    scratch.scope {
      let work = scratch.matrix(rows: parts, columns: room)
      Parallel.split(rows: block.rows, into: parts) { index, rows in
        var part = block
        part.rows = rows.count
        part.queries += rows.lowerBound * block.query_stride
        if part.positions != nil { part.positions += block.rows - rows.upperBound }
        Kernels.active.attention(
          &part, work.pointer + index * room, y.pointer + rows.lowerBound * y.stride, y.stride)
      }
    }
  }
}
