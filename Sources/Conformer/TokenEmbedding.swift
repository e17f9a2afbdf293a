import Tensor

/// What a Transformer decoder's layers read: `√d · E[token] + PE(position)`.
struct TokenEmbedding: Sendable {
  private let vocabulary: Int
  private let width: Int
  private let positions: SinusoidalPositions
  private let table: FloatStorage  // [vocabulary, d], scaled

  /// - Parameter reader: at `weight`, [vocabulary, d].
  init(
    _ reader: WeightReader, vocabulary: Int, width: Int, positions: SinusoidalPositions
  ) throws(WeightError) {
    (self.vocabulary, self.width, self.positions) = (vocabulary, width, positions)
    table = try reader.tensor("weight", [vocabulary, width])
    let scale = Float(width).squareRoot()
    for index in 0..<table.count { table.pointer[index] *= scale }
  }

  /// row: [d].
  func embed(_ token: Int, position: Int, into row: UnsafeMutablePointer<Float>) {
    precondition((0..<vocabulary).contains(token), "token \(token) of \(vocabulary)")
    positions.add(position, to: table.pointer + token * width, into: row)
  }

  /// x: [rows of the tree, d].
  func embed(_ tree: PrefixTree, into x: MatrixView) {
    for (row, token) in tree.tokens.enumerated() {
      embed(token, position: tree.position(row), into: x.pointer + row * x.stride)
    }
  }
}
