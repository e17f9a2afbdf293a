import TestSupport

/// Seeded pairs of token sequences such as recognisers make, and worse.
struct RandomPairs {
  private var generator: SeededGenerator

  init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

  /// A reference and what is left of it after random errors; every tenth pair is unrelated.
  mutating func next(longest: Int) -> (reference: [Int32], hypothesis: [Int32]) {
    let vocabulary = Int32([2, 4, 20, 200].randomElement(using: &generator)!)
    let reference = tokens(Int.random(in: 0...longest, using: &generator), vocabulary)
    if Int.random(in: 0..<10, using: &generator) == 0 {
      return (reference, tokens(Int.random(in: 0...longest, using: &generator), vocabulary))
    }
    return (
      reference, damaged(reference, vocabulary, Double.random(in: 0...0.7, using: &generator))
    )
  }

  mutating func tokens(_ count: Int, _ vocabulary: Int32) -> [Int32] {
    (0..<count).map { _ in Int32.random(in: 0..<vocabulary, using: &generator) }
  }

  /// With a share of `rate` of tokens replaced, lost or followed by another.
  mutating func damaged(_ tokens: [Int32], _ vocabulary: Int32, _ rate: Double) -> [Int32] {
    var out: [Int32] = []
    for token in tokens {
      guard Double.random(in: 0..<1, using: &generator) < rate else {
        out.append(token)
        continue
      }
      let other = Int32.random(in: 0..<vocabulary, using: &generator)
      switch Int.random(in: 0..<3, using: &generator) {
      case 0: out.append(other)
      case 1: break
      default: out += [token, other]
      }
    }
    return out
  }
}

func line(_ tokens: [Int32]) -> String { tokens.map { "w\($0)" }.joined(separator: " ") }
