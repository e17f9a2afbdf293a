/// Floats in 64-byte aligned memory, zero at first, freed with the object.
///
/// Weights are filled by their only owner before they are shared and never written again; that is
/// why the type may cross threads.
public final class FloatStorage: @unchecked Sendable {
  public let pointer: UnsafeMutablePointer<Float>
  public let count: Int

  public init(count: Int) {
    let bytes = UnsafeMutableRawPointer.allocate(
      byteCount: max(count, 1) * MemoryLayout<Float>.stride, alignment: 64)
    pointer = bytes.bindMemory(to: Float.self, capacity: max(count, 1))
    pointer.initialize(repeating: 0, count: count)
    self.count = count
  }

  public convenience init(_ values: some Collection<Float>) {
    self.init(count: values.count)
    for (index, value) in values.enumerated() { pointer[index] = value }
  }

  deinit { pointer.deallocate() }

  /// The floats as a matrix of `columns` columns.
  public func view(columns: Int) -> MatrixView {
    precondition(count % columns == 0, "\(count) floats are no matrix of \(columns) columns")
    return MatrixView(pointer, rows: count / columns, columns: columns)
  }

  /// A copy for inspection.
  public var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

  /// The floats as [a, b, c] with the last two axes exchanged: [a, c, b]. Convolution weights
  /// become those of a linear layer over windows whose channels lie together in memory.
  public func exchangingLastAxes(_ shape: [Int]) -> FloatStorage {
    precondition(shape.count == 3 && shape.reduce(1, *) == count, "\(count) floats as \(shape)")
    let (a, b, c) = (shape[0], shape[1], shape[2])
    let result = FloatStorage(count: count)
    for i in 0..<a {
      for j in 0..<b {
        for k in 0..<c {
          result.pointer[(i * c + k) * b + j] = pointer[(i * b + j) * c + k]
        }
      }
    }
    return result
  }
}
