import CKernels

/// The weights of a linear layer in the precision that their file has: [outputs, inputs].
public enum LinearWeight: Sendable {
  case float32(FloatStorage)
  /// The bits of 16-bit floats.
  case float16([UInt16])
  /// Output i has the weights `scales[i] · values[i, …]`; scales: [outputs].
  case int8([Int8], scales: [Float])

  /// Most inputs of a layer with int8 weights.
  public static let mostInt8Inputs = Int(CK_INT8_INPUTS)

  var count: Int {
    switch self {
    case .float32(let storage): storage.count
    case .float16(let values): values.count
    case .int8(let values, _): values.count
    }
  }

  /// The weights as [a, b, c] with the last two axes exchanged: [a, c, b]. Convolution weights
  /// become those of a linear layer over windows whose channels lie together in memory.
  public func exchangingLastAxes(_ shape: [Int]) -> LinearWeight {
    switch self {
    case .float32(let storage):
      let result = FloatStorage(count: storage.count)
      Self.exchange(storage.pointer, shape, into: result.pointer, count: storage.count)
      return .float32(result)
    case .float16(let values): return .float16(Self.exchanged(values, shape))
    case .int8(let values, let scales):
      return .int8(Self.exchanged(values, shape), scales: scales)
    }
  }

  private static func exchanged<Value>(_ values: [Value], _ shape: [Int]) -> [Value] {
    var result = values
    result.withUnsafeMutableBufferPointer { result in
      exchange(values, shape, into: result.baseAddress!, count: values.count)
    }
    return result
  }

  private static func exchange<Value>(
    _ values: UnsafePointer<Value>, _ shape: [Int], into result: UnsafeMutablePointer<Value>,
    count: Int
  ) {
    precondition(shape.count == 3 && shape.reduce(1, *) == count, "\(count) weights as \(shape)")
    let (a, b, c) = (shape[0], shape[1], shape[2])
    for i in 0..<a {
      for j in 0..<b {
        for k in 0..<c { result[(i * c + k) * b + j] = values[(i * b + j) * c + k] }
      }
    }
  }

  /// The weights times `factor`; those of 16 bits become float32.
  public func scaled(by factor: Float) -> LinearWeight {
    switch self {
    case .float32(let storage):
      let result = FloatStorage(count: storage.count)
      for index in 0..<storage.count { result.pointer[index] = storage.pointer[index] * factor }
      return .float32(result)
    case .float16(let values):
      let result = FloatStorage(count: values.count)
      for (index, bits) in values.enumerated() {
        result.pointer[index] = Float(Float16(bitPattern: bits)) * factor
      }
      return .float32(result)
    case .int8(let values, let scales):
      return .int8(values, scales: scales.map { $0 * factor })
    }
  }

  /// The outputs of this layer and then those of another over the same inputs, as float32 if one of
  /// them is; nil if only one of them is int8.
  func appending(_ other: LinearWeight) -> LinearWeight? {
    switch (self, other) {
    case (.float32(let a), .float32(let b)):
      let result = FloatStorage(count: a.count + b.count)
      result.pointer.update(from: a.pointer, count: a.count)
      (result.pointer + a.count).update(from: b.pointer, count: b.count)
      return .float32(result)
    case (.float16(let a), .float16(let b)): return .float16(a + b)
    case (.float16, .float32): return scaled(by: 1).appending(other)
    case (.float32, .float16): return appending(other.scaled(by: 1))
    case (.int8(let a, let scalesA), .int8(let b, let scalesB)):
      return .int8(a + b, scales: scalesA + scalesB)
    default:
      return nil
    }
  }
}
