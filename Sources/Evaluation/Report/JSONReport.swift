import Transcripts

/// A report for programs. Rates are shares, not percentages.
public struct JSONReport {
  private let report: EvaluationReport
  private let confusions: Int
  private let listsUtterances: Bool

  /// - Parameter listsUtterances: whether the counts and steps of every utterance are in.
  public init(_ report: EvaluationReport, confusions: Int = 10, listsUtterances: Bool = false) {
    self.report = report
    self.confusions = confusions
    self.listsUtterances = listsUtterances
  }

  public var text: String {
    var members: [(String, JSONText)] = rates(report.score, report.intervals)
    members.insert(("reference", .string(report.reference)), at: 0)
    members.insert(("hypothesis", .string(report.score.name)), at: 1)
    members += [
      ("normalizer", .string(report.normalizer.rawValue)),
      ("alignment", .string(report.rule.rawValue)),
      ("groups", .object(report.groupings.map { ($0.column, grouping($0)) })),
      ("confusions", confusionLists),
      ("remarks", .array(report.score.remarks.map { .string($0) })),
    ]
    if !report.conditions.isEmpty {
      members.append(
        ("conditions", .object(report.conditions.map { ($0.name, .string($0.value)) })))
    }
    if let rival = report.rival { members.append(("against", against(rival))) }
    if listsUtterances {
      members.append(("utterances", .array(report.score.utterances.map { utterance($0) })))
    }
    return JSONText.object(members).pretty() + "\n"
  }

  private func rates(
    _ score: SystemScore, _ intervals: ScoreIntervals
  ) -> [(String, JSONText)] {
    let summary = score.summary
    let bootstrap = intervals.bootstrap
    return [
      ("wer", number(summary.words.errorRate)),
      ("cer", number(summary.characters.errorRate)),
      ("ser", number(summary.sentenceErrorRate)),
      ("mer", number(summary.words.matchErrorRate)),
      ("wil", number(summary.words.informationLost)),
      ("words", counts(summary.words)),
      ("characters", counts(summary.characters)),
      (
        "sentences",
        .object([
          ("count", number(summary.utterances)), ("wrong", number(summary.wrongUtterances)),
          ("missing", number(score.utterances.count { $0.hypothesis == nil })),
        ])
      ),
      (
        "interval",
        !intervals.areMeaningful
          ? .null
          : .object([
            ("wer", range(intervals.wordErrorRate)), ("cer", range(intervals.characterErrorRate)),
            ("ser", range(intervals.sentenceErrorRate)),
            ("confidence", number(bootstrap.confidence)), ("draws", number(bootstrap.draws)),
            ("unit", .string(bootstrap.unit.rawValue)), ("units", number(bootstrap.blockCount)),
          ])
      ),
    ]
  }

  private func counts(_ counts: ErrorCounts) -> JSONText {
    .object([
      ("reference", number(counts.referenceLength)),
      ("hypothesis", number(counts.hypothesisLength)), ("hits", number(counts.hits)),
      ("substitutions", number(counts.substitutions)), ("deletions", number(counts.deletions)),
      ("insertions", number(counts.insertions)),
    ])
  }

  private func grouping(_ grouping: EvaluationReport.Grouping) -> JSONText {
    .array(
      grouping.rows.map { name, summary in
        .object([
          ("name", .string(name)), ("utterances", number(summary.utterances)),
          ("wer", number(summary.words.errorRate)),
          ("cer", number(summary.characters.errorRate)), ("words", counts(summary.words)),
        ])
      })
  }

  private var confusionLists: JSONText {
    let all = report.confusions
    func list(_ entries: [Confusions.Entry]) -> JSONText {
      .array(
        entries.prefix(confusions).map {
          .object([("word", .string($0.word)), ("count", number($0.count))])
        })
    }
    let pairs = all.substitutions.prefix(confusions).map { pair in
      JSONText.object([
        ("reference", .string(pair.reference)), ("hypothesis", .string(pair.hypothesis)),
        ("count", number(pair.count)),
      ])
    }
    return .object([
      ("substitutions", .array(Array(pairs))), ("deletions", list(all.deletions)),
      ("insertions", list(all.insertions)),
    ])
  }

  private func against(_ rival: EvaluationReport.Rival) -> JSONText {
    let paired = rival.comparison
    return .object(
      [("hypothesis", .string(rival.score.name))] + rates(rival.score, rival.intervals) + [
        ("difference", number(paired.difference)),
        ("difference_interval", range(paired.interval)),
        ("probability_of_improvement", number(paired.probabilityOfImprovement)),
        (
          "matched_pairs",
          .object([
            ("segments", number(paired.matchedPairs.segments)),
            ("z", number(paired.matchedPairs.z)), ("p", number(paired.matchedPairs.p)),
          ])
        ),
      ])
  }

  private func utterance(_ utterance: ScoredUtterance) -> JSONText {
    let steps = utterance.steps(report.score.tokens).map { step in
      JSONText.array([
        .string("\(step.operation)"), step.reference.map { .string($0) } ?? .null,
        step.hypothesis.map { .string($0) } ?? .null,
      ])
    }
    return .object([
      ("id", .string(utterance.reference.id)),
      ("speaker", utterance.reference.speaker.map { .string($0) } ?? .null),
      ("wer", number(utterance.words.errorRate)), ("words", counts(utterance.words)),
      ("characters", counts(utterance.characters)), ("steps", .array(steps)),
    ])
  }

  private func range(_ interval: ConfidenceInterval) -> JSONText {
    .array([number(interval.lower), number(interval.upper)])
  }

  private func number(_ value: Int) -> JSONText { .number("\(value)") }
  private func number(_ value: Double) -> JSONText { .number("\(value)") }
}
