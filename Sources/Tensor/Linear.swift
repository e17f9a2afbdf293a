import CKernels

/// What follows a linear layer.
public enum Activation: Sendable {
  case none, relu
  /// `x · sigmoid(x)`, also called SiLU.
  case swish

  var code: ck_activation {
    switch self {
    case .none: CK_ACTIVATION_NONE
    case .relu: CK_ACTIVATION_RELU
    case .swish: CK_ACTIVATION_SWISH
    }
  }
}

/// A linear layer `y = x · W + b`, its weights kept as [inputs, outputs].
public struct Linear: Sendable {
  public let inputs: Int
  public let outputs: Int
  let weight: FloatStorage  // [inputs, outputs]
  let bias: FloatStorage  // [outputs]

  /// - Parameters:
  ///   - weight: [outputs, inputs], as checkpoints store it.
  ///   - bias: [outputs]; zeros when nil.
  public init(weight: FloatStorage, bias: FloatStorage?, inputs: Int) {
    let outputs = weight.count / inputs
    precondition(weight.count == inputs * outputs && (bias?.count ?? outputs) == outputs)
    self.inputs = inputs
    self.outputs = outputs
    let transposed = FloatStorage(count: weight.count)
    for output in 0..<outputs {
      for input in 0..<inputs {
        transposed.pointer[input * outputs + output] = weight.pointer[output * inputs + input]
      }
    }
    self.weight = transposed
    self.bias = bias ?? FloatStorage(count: outputs)
  }

  /// Several layers over the same input as one, their outputs side by side.
  public init(sideBySide layers: [Linear]) {
    let outputs = layers.reduce(0) { $0 + $1.outputs }
    inputs = layers[0].inputs
    self.outputs = outputs
    weight = FloatStorage(count: inputs * outputs)
    bias = FloatStorage(count: outputs)
    var column = 0
    for layer in layers {
      weight.view(columns: outputs).columns(column..<column + layer.outputs)
        .copy(from: layer.weight.view(columns: layer.outputs))
      (bias.pointer + column).update(from: layer.bias.pointer, count: layer.outputs)
      column += layer.outputs
    }
  }

  /// `y = activation(x · W + b)`. x: [rows, inputs], y: [rows, outputs].
  public func apply(_ x: MatrixView, into y: MatrixView, activation: Activation = .none) {
    multiply(x, into: y)
    Kernels.active.bias_activation(
      y.pointer, y.stride, y.rows, y.columns, bias.pointer, activation.code)
  }

  /// `residual += scale · (x · W + b)`: a linear layer that ends a residual branch.
  public func add(_ x: MatrixView, to residual: MatrixView, scale: Float, scratch: ScratchArena) {
    scratch.scope {
      let y = scratch.matrix(rows: x.rows, columns: outputs)
      multiply(x, into: y)
      Kernels.active.add_residual(
        residual.pointer, residual.stride, y.pointer, y.stride, y.rows, outputs, bias.pointer,
        scale)
    }
  }

  /// `y = GLU(x · W + b)`: the first half of the outputs times the sigmoid of the second.
  /// y: [rows, outputs / 2].
  public func applyGLU(_ x: MatrixView, into y: MatrixView, scratch: ScratchArena) {
    scratch.scope {
      let both = scratch.matrix(rows: x.rows, columns: outputs)
      multiply(x, into: both)
      Kernels.active.glu(
        both.pointer, both.stride, x.rows, outputs / 2, bias.pointer, y.pointer, y.stride)
    }
  }

  /// `y = log softmax(x · W + b)`. y: [rows, outputs].
  public func applyLogSoftmax(_ x: MatrixView, into y: MatrixView) {
    multiply(x, into: y)
    Kernels.active.log_softmax(y.pointer, y.stride, y.rows, y.columns, bias.pointer)
  }

  private func multiply(_ x: MatrixView, into y: MatrixView) {
    MatrixProduct.multiply(x, weight.view(columns: outputs), into: y)
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
    Kernels.active.layer_norm(
      x.pointer, x.stride, x.rows, x.columns, gamma.pointer, beta.pointer, 1e-5, y.pointer,
      y.stride)
  }
}
