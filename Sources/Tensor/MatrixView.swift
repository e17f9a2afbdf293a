/// A row-major matrix in memory that somebody else owns: scratch, a cache, or weights.
///
/// The hot path passes these around instead of arrays, so that no step allocates. A view is valid
/// as long as its owner; nothing stores one.
public struct MatrixView {
  public let pointer: UnsafeMutablePointer<Float>
  public let rows: Int
  public let columns: Int
  /// Distance between rows, in floats.
  public let stride: Int

  public init(
    _ pointer: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil
  ) {
    // BLAS refuses such a matrix without a word.
    precondition(rows <= 1 || stride ?? columns >= columns, "rows overlap")
    self.pointer = pointer
    self.rows = rows
    self.columns = columns
    self.stride = stride ?? columns
  }

  /// Rows `range` of this matrix, sharing its memory.
  public func rows(_ range: Range<Int>) -> MatrixView {
    precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
    return MatrixView(
      pointer + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
  }

  /// Columns `range` of this matrix, sharing its memory.
  public func columns(_ range: Range<Int>) -> MatrixView {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
    return MatrixView(
      pointer + range.lowerBound, rows: rows, columns: range.count, stride: stride)
  }

  /// Copies the elements of a matrix of the same shape into this one. They may not overlap.
  public func copy(from source: MatrixView) {
    precondition(source.rows == rows && source.columns == columns, "shapes differ")
    for row in 0..<rows {
      (pointer + row * stride).update(from: source.pointer + row * source.stride, count: columns)
    }
  }

  /// Sets every element.
  public func fill(_ value: Float) {
    for row in 0..<rows { (pointer + row * stride).update(repeating: value, count: columns) }
  }

  /// The elements in row-major order, copied.
  public var values: [Float] {
    (0..<rows).flatMap { row in
      Array(UnsafeBufferPointer(start: pointer + row * stride, count: columns))
    }
  }
}
