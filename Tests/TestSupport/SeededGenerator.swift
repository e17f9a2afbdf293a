import Evaluation

/// The same numbers on every run, so that a failing case can be repeated.
public typealias SeededGenerator = SplitMix64

extension SeededGenerator {
  /// Roughly normal numbers of the given deviation.
  public mutating func normal(_ deviation: Float) -> Float {
    var sum: Float = 0
    for _ in 0..<12 { sum += Float.random(in: 0..<1, using: &self) }
    return (sum - 6) * deviation
  }
}
