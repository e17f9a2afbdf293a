import Tensor

/// What a Transformer decoder's layers read: `√d · E[token] + PE(position)`.
struct TokenEmbedding: Sendable {
  private let vocabulary: Int
  private let width: Int
  private let positions: SinusoidalPositions
  private let table: WeightRows  // [vocabulary, d]

  /// - Parameter reader: at `weight`, [vocabulary, d].
  init(
    _ reader: WeightReader, vocabulary: Int, width: Int, positions: SinusoidalPositions
  ) throws(WeightError) {
    (self.vocabulary, self.width, self.positions) = (vocabulary, width, positions)
    table = try reader.rows(vocabulary, width: width)
  }

  /// row: [d].
  func embed(_ token: Int, position: Int, into row: UnsafeMutablePointer<Float>) {
    precondition((0..<vocabulary).contains(token), "token \(token) of \(vocabulary)")
    table.read(token, scale: Float(width).squareRoot(), into: row)
    positions.add(position, to: row)
  }

  /// x: [rows of the tree, d].
  func embed(_ tree: PrefixTree, into x: MatrixView) {
    for (row, token) in tree.tokens.enumerated() {
      embed(token, position: tree.position(row), into: x.pointer + row * x.stride)
    }
  }
}
