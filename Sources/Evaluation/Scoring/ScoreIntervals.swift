/// The intervals of a system's rates.
public struct ScoreIntervals: Sendable {
  public let bootstrap: BlockBootstrap
  /// Whether there is anything to draw: one utterance alone says nothing of others.
  public var areMeaningful: Bool { bootstrap.blockCount > 1 }
  public let wordErrorRate: ConfidenceInterval
  public let characterErrorRate: ConfidenceInterval
  public let sentenceErrorRate: ConfidenceInterval

  public init(_ score: SystemScore, bootstrap: BlockBootstrap) {
    let utterances = score.utterances
    self.bootstrap = bootstrap
    wordErrorRate = bootstrap.interval(
      errors: utterances.map(\.words.errors), lengths: utterances.map(\.words.referenceLength))
    characterErrorRate = bootstrap.interval(
      errors: utterances.map(\.characters.errors),
      lengths: utterances.map(\.characters.referenceLength))
    sentenceErrorRate = bootstrap.interval(
      errors: utterances.map { $0.isWrong ? 1 : 0 }, lengths: utterances.map { _ in 1 })
  }
}
