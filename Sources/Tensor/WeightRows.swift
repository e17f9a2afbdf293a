import CKernels

/// A matrix of weights that is read row by row, such as an embedding, in the precision of its file.
public struct WeightRows: Sendable {
  private enum Form {
    case float32(FloatStorage)
    case float16([UInt16])
  }

  private let form: Form
  private let width: Int

  init(_ storage: FloatStorage, width: Int) {
    (form, self.width) = (.float32(storage), width)
  }

  init(halves: [UInt16], width: Int) { (form, self.width) = (.float16(halves), width) }

  /// Writes `scale` times a row to `result`: [width].
  public func read(_ row: Int, scale: Float, into result: UnsafeMutablePointer<Float>) {
    switch form {
    case .float32(let storage):
      precondition(row >= 0 && (row + 1) * width <= storage.count)
      result.update(from: storage.pointer + row * width, count: width)
    case .float16(let halves):
      precondition(row >= 0 && (row + 1) * width <= halves.count)
      halves.withUnsafeBufferPointer {
        _ = Kernels.active.half_to_float($0.baseAddress! + row * width, result, width)
      }
    }
    for index in 0..<width { result[index] *= scale }
  }
}
