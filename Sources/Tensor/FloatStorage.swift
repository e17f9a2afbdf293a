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
}
