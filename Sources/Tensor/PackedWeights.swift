import CKernels

/// Weights packed for this processor's matrix product, freed with the object.
///
/// They are written when the object is made and never again; that is why the type may cross threads.
final class PackedWeights: @unchecked Sendable {
  private enum Form {
    case float32(FloatStorage)
    /// 64-byte aligned; owned.
    case int8(UnsafeMutablePointer<Int32>)
  }

  private let form: Form
  private let outputs: Int

  init(_ weight: LinearWeight, outputs: Int, inputs: Int) {
    precondition(weight.count == inputs * outputs, "\(weight.count) weights, \(inputs) inputs")
    self.outputs = outputs
    let kernels = Kernels.active
    switch weight {
    case .float32(let storage):
      let packed = FloatStorage(count: kernels.packed_count(outputs, inputs))
      kernels.pack(storage.pointer, outputs, inputs, packed.pointer)
      form = .float32(packed)
    case .int8(let values, let scales):
      precondition(scales.count == outputs && inputs <= LinearWeight.mostInt8Inputs)
      let count = kernels.packed_int8_count(outputs, inputs)
      let bytes = UnsafeMutableRawPointer.allocate(
        byteCount: count * MemoryLayout<Int32>.stride, alignment: 64)
      let packed = bytes.initializeMemory(as: Int32.self, repeating: 0, count: count)
      kernels.pack_int8(values, scales, outputs, inputs, packed)
      form = .int8(packed)
    }
  }

  deinit {
    if case .int8(let packed) = form { packed.deallocate() }
  }

  /// The product of `x` with these weights and a bias [outputs], through `epilogue`, at `y`.
  func multiply(
    _ x: ck_operand, bias: FloatStorage?, into y: UnsafeMutablePointer<Float>, stride: Int,
    _ epilogue: ck_epilogue, scale: Float
  ) {
    withUnsafePointer(to: x) { x in
      switch form {
      case .float32(let packed):
        Kernels.active.gemm(
          x, packed.pointer, bias?.pointer, outputs, y, stride, epilogue, scale)
      case .int8(let packed):
        Kernels.active.gemm_int8(x, packed, bias?.pointer, outputs, y, stride, epilogue, scale)
      }
    }
  }
}
