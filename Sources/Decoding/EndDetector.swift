import Foundation

/// Tells when longer texts have become hopeless (§4.4 of the specification; ESPnet's `end_detect`):
/// the best finished texts of three lengths in a row are all worse than the best by 10 nats.
struct EndDetector {
  private static let lengths = 3
  private static let threshold = -10.0

  /// Best finished score of each length, sos and eos included.
  private var best: [Int: Double] = [:]
  private var bestOfAll = -Double.infinity

  /// - Parameter length: tokens of the finished text, without sos and eos.
  mutating func add(length: Int, score: Double) {
    best[length + 2] = max(best[length + 2] ?? -.infinity, score)
    bestOfAll = max(bestOfAll, score)
  }

  /// - Parameter step: from 0.
  func isEnd(step: Int) -> Bool {
    (0..<Self.lengths).allSatisfy { m in
      best[step - m].map { $0 - bestOfAll < Self.threshold } ?? false
    }
  }
}
