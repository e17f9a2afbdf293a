/// What one system's hypotheses are worth.
public struct SystemScore: Sendable {
  /// Name of the system: the file of its hypotheses.
  public let name: String
  public let utterances: [ScoredUtterance]
  public let tokens: TokenTable
  public let summary: ScoreSummary
  /// What was missing and what was left out.
  public let remarks: [String]

  public init(
    name: String, utterances: [ScoredUtterance], tokens: TokenTable, remarks: [String] = []
  ) {
    self.name = name
    self.utterances = utterances
    self.tokens = tokens
    self.remarks = remarks
    summary = ScoreSummary(utterances)
  }

  /// Counts for each value of `key`, sorted by it; utterances without one are left out.
  public func grouped(by key: (Utterance) -> String?) -> [(name: String, summary: ScoreSummary)] {
    var groups: [String: ScoreSummary] = [:]
    for utterance in utterances {
      if let name = key(utterance.reference) {
        groups[name, default: ScoreSummary()].add(utterance)
      }
    }
    return groups.sorted { $0.key < $1.key }.map { (name: $0.key, summary: $0.value) }
  }
}
