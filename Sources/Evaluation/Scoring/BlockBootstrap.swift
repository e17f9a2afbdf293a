/// Draws blocks of utterances anew, with replacement, to see how far a rate depends on which were
/// measured (Efron 1979; for error rates Bisani and Ney 2004).
///
/// A block is a speaker: utterances of one speaker are alike, and drawing them one by one would
/// make intervals too narrow (Liu and Peng 2020).
public struct BlockBootstrap: Sendable {
  /// What the blocks are.
  public enum Unit: String, Sendable {
    case speaker
    /// Where no speaker, or only one, is known.
    case utterance
  }

  public let unit: Unit
  public let blockCount: Int
  public let draws: Int
  public let confidence: Double
  private let seed: UInt64
  /// Block of each utterance.
  private let blocks: [Int]

  /// - Parameters:
  ///   - speakers: of each utterance. An utterance without one is a block of its own.
  ///   - draws: from 1.
  ///   - confidence: share of draws within an interval, 0…1 exclusive.
  public init(speakers: [String?], draws: Int = 10_000, confidence: Double = 0.95, seed: UInt64 = 1)
  {
    precondition(draws > 0 && confidence > 0 && confidence < 1)
    (self.draws, self.confidence, self.seed) = (draws, confidence, seed)
    var numbers: [String: Int] = [:]
    var count = 0
    let named = Set(speakers.compactMap { $0 })
    let usesSpeakers = named.count > 1
    blocks = speakers.map { speaker in
      if usesSpeakers, let speaker, let known = numbers[speaker] { return known }
      if let speaker { numbers[speaker] = count }
      count += 1
      return count - 1
    }
    blockCount = count
    unit = usesSpeakers ? .speaker : .utterance
  }

  /// The rate of every draw: the sum of `errors` over that of `lengths`, both given for each
  /// utterance. Every call draws the same blocks, so the draws of two rates belong together.
  /// A draw without any length has the rate 0.
  public func rates(errors: [Int], lengths: [Int]) -> [Double] {
    precondition(errors.count == blocks.count && lengths.count == blocks.count)
    guard blockCount > 0 else { return [Double](repeating: 0, count: draws) }
    var sums = [SIMD2<Double>](repeating: .zero, count: blockCount)
    for (index, block) in blocks.enumerated() {
      sums[block] += SIMD2(Double(errors[index]), Double(lengths[index]))
    }
    var generator = SplitMix64(seed: seed)
    let range = UInt64(blockCount)
    return (0..<draws).map { _ in
      var total = SIMD2<Double>.zero
      for _ in 0..<blockCount {
        // The high half of the product: uniform to 1 in 2^64 / blockCount.
        total += sums[Int(generator.next().multipliedFullWidth(by: range).high)]
      }
      return total.y == 0 ? 0 : total.x / total.y
    }
  }

  public func interval(errors: [Int], lengths: [Int]) -> ConfidenceInterval {
    ConfidenceInterval(
      percentilesOf: rates(errors: errors, lengths: lengths), confidence: confidence)
  }
}
