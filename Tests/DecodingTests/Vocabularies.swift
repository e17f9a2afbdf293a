import Decoding
import TestSupport

/// Vocabularies that tests make up.
enum Vocabularies {
  /// The shipped model's.
  static func shipped() throws -> Vocabulary {
    try Vocabulary(
      contentsOf: Places.shippedModel + "/tokens.txt", classes: 1025, blank: 1024)
  }

  /// A few letters, every one of them a piece at a word's start and inside, and random longer
  /// pieces.
  static func random(
    letters: [String], longer: Int, isScored: Bool = true, using generator: inout SeededGenerator
  ) -> Vocabulary {
    var pieces = letters + letters.map { "▁" + $0 }
    for _ in 0..<longer {
      let length = Int.random(in: 2...4, using: &generator)
      let body = (0..<length).map { _ in letters.randomElement(using: &generator)! }.joined()
      let piece = (Bool.random(using: &generator) ? "▁" : "") + body
      if !pieces.contains(piece) { pieces.append(piece) }
    }
    let logProbs = pieces.map { _ in Float.random(in: -9 ... -1, using: &generator) }
    return Vocabulary(pieces: pieces, logProbs: isScored ? logProbs : nil, blank: pieces.count)
  }
}
