/// Everything that is said about a system, in whatever form.
public struct EvaluationReport: Sendable {
  /// Another system on the same utterances.
  public struct Rival: Sendable {
    public let score: SystemScore
    public let intervals: ScoreIntervals
    public let comparison: PairedComparison
  }

  /// Scores of the values of a column.
  public struct Grouping: Sendable {
    public let column: String
    public let rows: [(name: String, summary: ScoreSummary)]
  }

  /// The file of the references.
  public let reference: String
  public let normalizer: TextNormalizer
  public let rule: AlignmentRule
  public let score: SystemScore
  public let intervals: ScoreIntervals
  public let confusions: Confusions
  /// By speaker, by recording where utterances are segments of some, and by what was asked for.
  public let groupings: [Grouping]
  public let rival: Rival?
  /// How it was made, such as the model and the machine, in the order to show.
  public var conditions: [(name: String, value: String)] = []

  /// - Parameters:
  ///   - rival: scored by the same `Scorer`.
  ///   - columns: of `Utterance.groups`.
  public init(
    reference: String, normalizer: TextNormalizer, rule: AlignmentRule, score: SystemScore,
    rival: SystemScore?, columns: [String], bootstrap: BlockBootstrap
  ) {
    self.reference = reference
    self.normalizer = normalizer
    self.rule = rule
    self.score = score
    intervals = ScoreIntervals(score, bootstrap: bootstrap)
    confusions = Confusions(score)
    var groupings = columns.map { column in
      Grouping(column: column, rows: score.grouped { $0.groups[column] })
    }
    let recordings = score.grouped { $0.segment?.recording }
    if recordings.count > 1 {
      groupings.insert(Grouping(column: "recording", rows: recordings), at: 0)
    }
    let speakers = score.grouped(by: \.speaker)
    if !speakers.isEmpty { groupings.insert(Grouping(column: "speaker", rows: speakers), at: 0) }
    self.groupings = groupings
    self.rival = rival.map {
      Rival(
        score: $0, intervals: ScoreIntervals($0, bootstrap: bootstrap),
        comparison: PairedComparison(score, $0, bootstrap: bootstrap))
    }
  }

  /// `bootstrap over 40 speakers, 10000 draws`.
  var intervalNote: String {
    let bootstrap = intervals.bootstrap
    guard intervals.areMeaningful else { return "no intervals: there is only one utterance" }
    let unit = bootstrap.unit.rawValue + "s"
    var note =
      "\(Figures.short(100 * bootstrap.confidence)) % intervals: bootstrap over "
      + "\(bootstrap.blockCount) \(unit), \(bootstrap.draws) draws"
    if bootstrap.unit == .utterance {
      note += "; no speakers are known, so they may be too narrow"
    } else if bootstrap.blockCount < 10 {
      note += "; so few speakers make them rough"
    }
    return note
  }
}
