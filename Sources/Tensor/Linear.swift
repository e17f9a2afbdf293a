import CKernels

/// What follows a linear layer.
public enum Activation: Sendable {
  case none, relu
  /// `x · sigmoid(x)`, also called SiLU.
  case swish

  var epilogue: ck_epilogue {
    switch self {
    case .none: CK_EPILOGUE_NONE
    case .relu: CK_EPILOGUE_RELU
    case .swish: CK_EPILOGUE_SWISH
    }
  }
}

/// A linear layer `y = x · Wᵀ + b`, its weights packed for this processor's matrix product.
///
/// With int8 weights each row of `x` is rounded to 8 bits with a scale of its own, so that no row
/// depends on those beside it; what comes out is float32.
public struct Linear: Sendable {
  public let inputs: Int
  public let outputs: Int
  private let packed: PackedWeights
  private let bias: FloatStorage?  // [outputs]

  /// - Parameters:
  ///   - weight: [outputs, inputs], as checkpoints store it.
  ///   - bias: [outputs]; none when nil.
  ///   - arena: where the model's packed weights go.
  public init(
    weight: LinearWeight, bias: FloatStorage?, inputs: Int, arena: WeightArena? = nil
  ) {
    outputs = weight.count / inputs
    precondition(bias?.count ?? outputs == outputs)
    self.inputs = inputs
    self.bias = bias
    packed = PackedWeights(weight, outputs: outputs, inputs: inputs, arena: arena)
  }

  public init(weight: FloatStorage, bias: FloatStorage?, inputs: Int) {
    self.init(weight: .float32(weight), bias: bias, inputs: inputs)
  }

  /// `y = activation(x · Wᵀ + b)`. x: [rows, inputs], y: [rows, outputs].
  public func apply(_ x: MatrixView, into y: MatrixView, activation: Activation = .none) {
    multiply(operand(x), into: y, activation.epilogue, scale: 1)
  }

  /// `y = activation(windows · Wᵀ + b)` over the windows of a two-dimensional convolution.
  ///
  /// - Parameters:
  ///   - x: [rows, row length]. Window (i, j) consists of `segments` runs of
  ///     `inputs / segments` floats, one from each of the rows `rowStep · i …`, from column
  ///     `columnStep · j` on.
  ///   - y: [windows, outputs], the `perRow` windows of each i in turn.
  public func applyToWindows(
    of x: MatrixView, segments: Int, rowStep: Int, columnStep: Int, perRow: Int,
    into y: MatrixView, activation: Activation
  ) {
    precondition(inputs % segments == 0 && y.rows % perRow == 0)
    let (k, groups) = (inputs / segments, y.rows / perRow)
    precondition(
      rowStep * (groups - 1) + segments <= x.rows && columnStep * (perRow - 1) + k <= x.columns,
      "the windows reach beyond the matrix")
    multiply(
      ck_operand(
        data: x.pointer, rows: perRow, stride: columnStep, groups: groups,
        group_stride: rowStep * x.stride, segments: segments, segment_stride: x.stride, k: k),
      into: y, activation.epilogue, scale: 1)
  }

  /// `residual += scale · (x · Wᵀ + b)`: a linear layer that ends a residual branch.
  public func add(_ x: MatrixView, to residual: MatrixView, scale: Float = 1) {
    multiply(operand(x), into: residual, CK_EPILOGUE_ADD, scale: scale)
  }

  /// `y = GLU(x · Wᵀ + b)`: the first half of the outputs times the sigmoid of the second.
  /// y: [rows, outputs / 2].
  public func applyGLU(_ x: MatrixView, into y: MatrixView, scratch: ScratchArena) {
    scratch.scope {
      let both = scratch.matrix(rows: x.rows, columns: outputs)
      apply(x, into: both)
      Parallel.split(rows: x.rows) { rows in
        Kernels.active.glu(
          both.rows(rows).pointer, both.stride, rows.count, outputs / 2, y.rows(rows).pointer,
          y.stride)
      }
    }
  }

  /// `y = log softmax(x · Wᵀ + b)`. y: [rows, outputs].
  public func applyLogSoftmax(_ x: MatrixView, into y: MatrixView) {
    apply(x, into: y)
    Kernels.active.log_softmax(y.pointer, y.stride, y.rows, y.columns)
  }

  private func operand(_ x: MatrixView) -> ck_operand {
    precondition(x.columns == inputs, "[\(x.rows), \(x.columns)] into a layer of \(inputs) inputs")
    return ck_operand(
      data: x.pointer, rows: x.rows, stride: x.stride, groups: 1, group_stride: 0, segments: 1,
      segment_stride: 0, k: inputs)
  }

  private func multiply(
    _ x: ck_operand, into y: MatrixView, _ epilogue: ck_epilogue, scale: Float
  ) {
    precondition(
      y.columns == outputs && y.rows == x.groups * x.rows,
      "\(x.groups * x.rows) rows of \(outputs) outputs into [\(y.rows), \(y.columns)]")
    Parallel.split(x) { part, firstRow in
      packed.multiply(
        part, bias: bias, into: y.pointer + firstRow * y.stride, stride: y.stride, epilogue,
        scale: scale)
    }
  }
}

/// Layer normalisation over the columns, biased variance, epsilon 1e-5.
public struct LayerNorm: Sendable {
  let gamma: FloatStorage
  let beta: FloatStorage

  /// - Parameters: gamma and beta: [columns].
  public init(gamma: FloatStorage, beta: FloatStorage) {
    precondition(gamma.count == beta.count)
    self.gamma = gamma
    self.beta = beta
  }

  /// Normalises each row of `x` into `y`; they may be the same.
  public func apply(_ x: MatrixView, into y: MatrixView) {
    precondition(x.columns == gamma.count && y.columns == x.columns && y.rows == x.rows)
    Parallel.split(rows: x.rows) { rows in
      Kernels.active.layer_norm(
        x.rows(rows).pointer, x.stride, rows.count, x.columns, gamma.pointer, beta.pointer, 1e-5,
        y.rows(rows).pointer, y.stride)
    }
  }
}
