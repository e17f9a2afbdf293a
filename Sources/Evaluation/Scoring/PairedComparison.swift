/// Two systems on the same utterances.
public struct PairedComparison: Sendable {
  /// Word error rate of the second less that of the first; below zero if the second is better.
  public let difference: Double
  public let interval: ConfidenceInterval
  /// Share of the draws in which the second system has the lower word error rate, 0…1, equal ones
  /// counted half (Bisani and Ney 2004).
  public let probabilityOfImprovement: Double
  public let matchedPairs: MatchedPairs

  /// - Parameters:
  ///   - first, second: scores by one `Scorer` of the same references in the same order.
  public init(_ first: SystemScore, _ second: SystemScore, bootstrap: BlockBootstrap) {
    precondition(first.utterances.count == second.utterances.count)
    let pairs = zip(first.utterances, second.utterances)
    let changes = pairs.map { $1.words.errors - $0.words.errors }
    let lengths = first.utterances.map(\.words.referenceLength)
    let draws = bootstrap.rates(errors: changes, lengths: lengths)
    let better = Double(draws.count { $0 < 0 }) + 0.5 * Double(draws.count { $0 == 0 })
    difference =
      Double(changes.reduce(0, +)) / Double(max(1, lengths.reduce(0, +)))
    interval = ConfidenceInterval(percentilesOf: draws, confidence: bootstrap.confidence)
    probabilityOfImprovement = better / Double(draws.count)
    matchedPairs = MatchedPairs(pairs.map { ($0.operations, $1.operations) })
  }
}
