import CKernels

/// A kernel for each of the last rows of a convolution, all over the same inputs, in the precision of
/// their file. [rows, taps, width]
public struct EdgeWeights: Sendable {
  enum Form {
    case float32(FloatStorage)
    /// The bits of 16-bit floats.
    case float16([UInt16])
  }

  private let form: Form
  private let taps: Int
  private let width: Int

  init(_ form: Form, taps: Int, width: Int) {
    (self.form, self.taps, self.width) = (form, taps, width)
  }

  /// Adds Σⱼ scale · kernel[j] · x[last − j] to each row of `y`: the kernel `first` to its last row,
  /// the next one to the row before, and so on.
  ///
  /// - Parameters:
  ///   - x: at least `taps` rows of `width`, without gaps between them.
  ///   - scale: [width].
  ///   - y: [at most rows − first, width], without gaps.
  public func add(from x: MatrixView, scale: FloatStorage, to y: MatrixView, first: Int) {
    guard y.rows > 0 else { return }
    precondition(x.rows >= taps && x.stride == width && y.stride == width)
    let (start, count) = (first * taps * width, y.rows * taps * width)
    let lastX = x.pointer + (x.rows - 1) * width
    let lastY = y.pointer + (y.rows - 1) * width
    switch form {
    case .float32(let weights):
      precondition(first >= 0 && start + count <= weights.count)
      Kernels.active.edge(
        lastX, taps, width, weights.pointer + start, scale.pointer, y.rows, lastY)
    case .float16(let weights):
      precondition(first >= 0 && start + count <= weights.count)
      weights.withUnsafeBufferPointer {
        Kernels.active.edge_half(
          lastX, taps, width, $0.baseAddress! + start, scale.pointer, y.rows, lastY)
      }
    }
  }
}
