import Foundation
import TestSupport

/// Log-probabilities made for a test. [frames, vocabulary]
struct ScoreTable {
  let values: [Float]
  let vocabulary: Int
  var frames: Int { values.count / vocabulary }

  init(values: [Float], _ vocabulary: Int) {
    self.values = values
    self.vocabulary = vocabulary
  }

  /// Normalised random scores.
  init(random frames: Int, _ vocabulary: Int, using generator: inout SeededGenerator) {
    var values: [Float] = []
    for _ in 0..<frames {
      values += Self.logSoftmax((0..<vocabulary).map { _ in generator.normal(2) })
    }
    self.init(values: values, vocabulary)
  }

  /// A peaky table of a random token row with blanks between, and the row.
  static func spoken(
    tokens count: Int, framesPerToken: Int = 3, using generator: inout SeededGenerator
  ) -> (ScoreTable, [Int]) {
    let vocabulary = 24
    let tokens = (0..<count).map { _ in Int.random(in: 1..<vocabulary, using: &generator) }
    var values: [Float] = []
    for token in tokens {
      for frame in 0..<Int.random(in: 2...2 * framesPerToken, using: &generator) + 1 {
        var scores = (0..<vocabulary).map { _ in generator.normal(1) }
        scores[frame == 1 ? token : 0] += 6
        values += logSoftmax(scores)
      }
    }
    return (ScoreTable(values: values, vocabulary), tokens)
  }

  subscript(frame: Int, id: Int) -> Float { values[frame * vocabulary + id] }

  private static func logSoftmax(_ scores: [Float]) -> [Float] {
    let sum = scores.reduce(0) { $0 + exp($1) }
    return scores.map { $0 - log(sum) }
  }
}
