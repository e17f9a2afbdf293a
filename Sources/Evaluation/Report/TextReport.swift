/// A report for people, on a terminal or in a file.
public struct TextReport {
  /// How many alignments are listed.
  public enum Listing: Equatable, Sendable {
    case none
    /// The utterances with the most errors.
    case worst(Int)
    /// Every utterance with an error, in the order of the references.
    case wrong
  }

  private let report: EvaluationReport
  private let confusions: Int
  private let listing: Listing
  private let layout: AlignmentLayout

  /// - Parameters:
  ///   - confusions: how many of each kind are listed.
  ///   - width: columns of the terminal.
  ///   - isColored: whether errors are told by colour, too.
  public init(
    _ report: EvaluationReport, confusions: Int = 10, listing: Listing = .none, width: Int = 80,
    isColored: Bool = false
  ) {
    self.report = report
    self.confusions = confusions
    self.listing = listing
    layout = AlignmentLayout(width: width, isColored: isColored)
  }

  public var text: String {
    var parts = [alignments, summary]
    parts += report.groupings.map { table($0) }
    parts += [confusionTable, rivalry]
    parts += report.score.remarks.map { "note: \($0)\n" }
    if let rival = report.rival { parts += rival.score.remarks.map { "note: \($0)\n" } }
    return parts.filter { !$0.isEmpty }.joined(separator: "\n")
  }

  private var summary: String {
    let (score, words) = (report.score.summary, report.score.summary.words)
    var table = TextTable(["", "%", "interval", ""])
    table.add([
      "WER", Figures.percent(words.errorRate), range(report.intervals.wordErrorRate),
      "\(words.errors) errors in \(words.referenceLength) words",
    ])
    table.add([
      "CER", Figures.percent(score.characters.errorRate),
      range(report.intervals.characterErrorRate),
      "\(score.characters.errors) errors in \(score.characters.referenceLength) characters",
    ])
    table.add([
      "SER", Figures.percent(score.sentenceErrorRate),
      range(report.intervals.sentenceErrorRate),
      "\(score.wrongUtterances) of \(score.utterances) utterances",
    ])
    table.add(["MER", Figures.percent(words.matchErrorRate), "", ""])
    table.add(["WIL", Figures.percent(words.informationLost), "", ""])
    return table.text + """

      \(words.substitutions) substituted, \(words.deletions) deleted, \(words.insertions) inserted, \
      \(words.hits) right
      \(report.intervalNote)
      normalizer \(report.normalizer.rawValue), alignment \(report.rule.rawValue)

      """
  }

  private func range(_ interval: ConfidenceInterval) -> String {
    report.intervals.areMeaningful ? Figures.range(interval) : ""
  }

  private func table(_ grouping: EvaluationReport.Grouping) -> String {
    var table = TextTable([
      grouping.column, "utterances", "words", "WER %", "sub", "del", "ins", "CER %",
    ])
    for (name, summary) in grouping.rows {
      let words = summary.words
      table.add([
        name, "\(summary.utterances)", "\(words.referenceLength)",
        Figures.percent(words.errorRate), "\(words.substitutions)", "\(words.deletions)",
        "\(words.insertions)", Figures.percent(summary.characters.errorRate),
      ])
    }
    return table.text
  }

  private var confusionTable: String {
    let all = report.confusions
    let lists = [
      ("substituted", all.substitutions.map { ("\($0.reference) > \($0.hypothesis)", $0.count) }),
      ("deleted", all.deletions.map { ($0.word, $0.count) }),
      ("inserted", all.insertions.map { ($0.word, $0.count) }),
    ]
    return lists.compactMap { name, entries in
      guard !entries.isEmpty, confusions > 0 else { return nil }
      return "\(name): "
        + entries.prefix(confusions).map { "\($0.0) (\($0.1))" }.joined(separator: ", ") + "\n"
    }.joined()
  }

  private var rivalry: String {
    guard let rival = report.rival else { return "" }
    let (paired, score) = (rival.comparison, rival.score.summary)
    let pairs = paired.matchedPairs
    return """
      against \(rival.score.name): WER \(Figures.percent(score.words.errorRate)) % \
      \(range(rival.intervals.wordErrorRate))
      difference \(Figures.signed(paired.difference)) points \
      (\(Figures.signed(paired.interval.lower)) to \(Figures.signed(paired.interval.upper)))
      probability that \(rival.score.name) is better: \
      \(Figures.fixed(paired.probabilityOfImprovement, 4))
      matched pairs sentence-segment test: \(pairs.segments) segments, \
      z \(Figures.fixed(pairs.z, 3)), p \(Figures.probability(pairs.p))

      """
  }

  private var alignments: String {
    let wrong = report.score.utterances.filter(\.isWrong)
    let chosen =
      switch listing {
      case .none: [ScoredUtterance]()
      case .wrong: wrong
      case .worst(let count):
        Array(
          wrong.enumerated().sorted {
            ($1.element.words.errors, $0.offset) < ($0.element.words.errors, $1.offset)
          }.prefix(count).map(\.element))
      }
    return chosen.map { layout.text($0, report.score.tokens) }.joined(separator: "\n")
  }
}
