import Foundation
import Tensor

/// The mixture of a decoder's output heads: `log Σ wₖ pₖ`, the final head having what the
/// auxiliary ones leave of 1.
struct HeadMixture {
  private let weights: [Float]

  init(_ weights: [Float]) {
    precondition(Self.isMixture(weights), "auxiliary weights \(weights) are no part of a mixture")
    self.weights = weights
  }

  /// Whether weights of auxiliary heads are at least 0 and at most 1 together, up to rounding: ten
  /// times 0.1 is more than 1.
  static func isMixture(_ weights: [Float]) -> Bool {
    weights.allSatisfy { $0 >= 0 } && weights.reduce(0, +) <= 1 + 1e-5
  }

  /// Mixes `heads` into `final`, all log-probabilities [rows, vocabulary].
  func mix(_ final: MatrixView, with heads: [MatrixView]) {
    precondition(
      heads.count == weights.count,
      "\(weights.count) auxiliary weights for a decoder of \(heads.count) auxiliary heads")
    let rest = max(0, 1 - weights.reduce(0, +))
    for row in 0..<final.rows {
      let result = final.pointer + row * final.stride
      for column in 0..<final.columns {
        var sum = rest * expf(result[column])
        for (weight, head) in zip(weights, heads) {
          sum += weight * expf(head.pointer[row * head.stride + column])
        }
        // Probabilities below the smallest float stay finite.
        result[column] = logf(max(sum, .leastNormalMagnitude))
      }
    }
  }
}
