import Tensor

/// All tensors of a safetensors file as arrays, for comparisons.
public struct TensorTable {
  private let file: SafetensorsFile
  public var names: [String] { file.entries.keys.sorted() }

  public init(_ path: String) throws { file = try SafetensorsFile(path: path) }

  public func shape(_ name: String) -> [Int] { file.entries[name]?.shape ?? [] }

  public subscript(name: String) -> [Float] {
    get throws { try WeightReader(file).tensor(name, shape(name)).values }
  }
}

extension [Float] {
  /// The array as a matrix for the duration of `body`.
  public func withMatrix<Result>(
    columns: Int, _ body: (MatrixView) throws -> Result
  ) rethrows -> Result {
    var copy = self
    return try copy.withUnsafeMutableBufferPointer {
      try body(MatrixView($0.baseAddress!, rows: count / columns, columns: columns))
    }
  }
}
