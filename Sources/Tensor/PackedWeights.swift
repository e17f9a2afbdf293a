import CKernels

/// Weights packed for this processor's matrix product.
///
/// They are written when the object is made and never again; that is why the type may cross threads.
final class PackedWeights: @unchecked Sendable {
  private enum Form {
    case float32(UnsafePointer<Float>)
    case float16(UnsafePointer<UInt16>)
    case int8(UnsafePointer<Int32>)
  }

  private let form: Form
  private let outputs: Int
  /// Holds what `form` points to.
  private let arena: WeightArena

  /// - Parameter arena: where the weights go if there is room; else they have memory of their own.
  init(_ weight: LinearWeight, outputs: Int, inputs: Int, arena: WeightArena?) {
    precondition(weight.count == inputs * outputs, "\(weight.count) weights, \(inputs) inputs")
    self.outputs = outputs
    let kernels = Kernels.active
    switch weight {
    case .float32(let storage):
      let (arena, packed) = Self.allocate(kernels.packed_count(outputs, inputs), Float.self, arena)
      kernels.pack(storage.pointer, outputs, inputs, packed)
      (self.arena, form) = (arena, .float32(packed))
    case .float16(let values):
      let (arena, packed) = Self.allocate(kernels.packed_count(outputs, inputs), UInt16.self, arena)
      kernels.pack_half(values, outputs, inputs, packed)
      (self.arena, form) = (arena, .float16(packed))
    case .int8(let values, let scales):
      precondition(scales.count == outputs && inputs <= LinearWeight.mostInt8Inputs)
      let (arena, packed) = Self.allocate(
        kernels.packed_int8_count(outputs, inputs), Int32.self, arena)
      kernels.pack_int8(values, scales, outputs, inputs, packed)
      (self.arena, form) = (arena, .int8(packed))
    }
  }

  private static func allocate<Word: BitwiseCopyable>(
    _ count: Int, _ type: Word.Type, _ arena: WeightArena?
  ) -> (WeightArena, UnsafeMutablePointer<Word>) {
    if let arena, let packed = arena.allocate(count, of: type) { return (arena, packed) }
    let own = WeightArena(capacity: (count * MemoryLayout<Word>.stride + 63) / 64 * 64)
    return (own, own.allocate(count, of: type)!)
  }

  /// The product of `x` with these weights and a bias [outputs], through `epilogue`, at `y`.
  func multiply(
    _ x: ck_operand, bias: FloatStorage?, into y: UnsafeMutablePointer<Float>, stride: Int,
    _ epilogue: ck_epilogue, scale: Float
  ) {
    withUnsafePointer(to: x) { x in
      let kernels = Kernels.active
      switch form {
      case .float32(let packed):
        kernels.gemm(x, packed, bias?.pointer, outputs, y, stride, epilogue, scale)
      case .float16(let packed):
        kernels.gemm_half(x, packed, bias?.pointer, outputs, y, stride, epilogue, scale)
      case .int8(let packed):
        kernels.gemm_int8(x, packed, bias?.pointer, outputs, y, stride, epilogue, scale)
      }
    }
  }
}
