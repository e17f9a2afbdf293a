/// A report as one HTML file that needs no other: summary, tables, plots, and every alignment, to
/// be searched and heard.
public struct ReportPage {
  private static let entries = 25

  private let report: EvaluationReport
  private let title: String
  private let audio: [String: PageAudio]

  /// - Parameter audio: of utterances by their ids.
  public init(_ report: EvaluationReport, title: String, audio: [String: PageAudio] = [:]) {
    self.report = report
    self.title = title
    self.audio = audio
  }

  public var text: String {
    let name = HTMLText.escaped(title)
    return """
      <!DOCTYPE html>
      <html lang="en"><head><meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <link rel="icon" href="data:,">
      <title>\(name)</title>
      <style>
      \(PageStyle.text)</style></head><body>
      <header><h1>\(name)</h1></header>
      <main>
      \(summary)\(rivalry)\(groups)\(plots)\(errorWords)\(conditions)\(PageAlignments.section)
      </main>
      <script type="application/json" id="data">\(PageAlignments(report, audio).json)</script>
      <script>
      \(PageScript.text)</script></body></html>

      """
  }

  private var summary: String {
    let (summary, words) = (report.score.summary, report.score.summary.words)
    let tiles = [
      tile("Word error rate", words.errorRate, report.intervals.wordErrorRate),
      tile(
        "Character error rate", summary.characters.errorRate, report.intervals.characterErrorRate),
      tile(
        "Sentence error rate", summary.sentenceErrorRate, report.intervals.sentenceErrorRate),
    ]
    let remarks = (report.score.remarks + (report.rival?.score.remarks ?? [])).map {
      "<p class=\"remark\">Note: \(HTMLText.escaped($0))</p>\n"
    }
    return """
      <section id="summary"><h2>Summary</h2>
      <div class="tiles">\(tiles.joined())</div>
      <p>\(summary.utterances) utterances, \(words.referenceLength) words: \(words.substitutions) \
      substituted, \(words.deletions) deleted, \(words.insertions) inserted. Match error rate \
      \(Figures.percent(words.matchErrorRate)) %, word information lost \
      \(Figures.percent(words.informationLost)) %.</p>
      <p class="small">\(HTMLText.escaped(report.intervalNote)). Normaliser \
      \(report.normalizer.rawValue), alignment \(report.rule.rawValue).</p>
      \(remarks.joined())</section>

      """
  }

  private func tile(_ name: String, _ rate: Double, _ interval: ConfidenceInterval) -> String {
    let range = "\(Figures.percent(interval.lower)) to \(Figures.percent(interval.upper)) %"
    return """
      <div class="tile"><span>\(name)</span><strong>\(Figures.percent(rate)) %</strong>\
      <span>\(report.intervals.areMeaningful ? range : "")</span></div>
      """
  }

  private var rivalry: String {
    guard let rival = report.rival else { return "" }
    let paired = rival.comparison
    let rows = [report.score, rival.score].map { score in
      let words = score.summary.words
      return [
        score.name, Figures.percent(words.errorRate), "\(words.substitutions)",
        "\(words.deletions)", "\(words.insertions)",
      ]
    }
    return """
      <section id="paired"><h2>Two systems</h2>
      \(HTMLText.table(["system", "WER %", "sub", "del", "ins"], rows))
      <p>Difference \(Figures.signed(paired.difference)) points \
      (\(Figures.signed(paired.interval.lower)) to \(Figures.signed(paired.interval.upper))); the \
      second is better with a probability of \
      \(Figures.fixed(paired.probabilityOfImprovement, 4)). Matched pairs sentence-segment test: \
      \(paired.matchedPairs.segments) segments, z \(Figures.fixed(paired.matchedPairs.z, 3)), \
      p \(HTMLText.escaped(Figures.probability(paired.matchedPairs.p))).</p></section>

      """
  }

  private var groups: String {
    report.groupings.map { grouping in
      let rows = grouping.rows.map { name, summary in
        [
          name, "\(summary.utterances)", "\(summary.words.referenceLength)",
          Figures.percent(summary.words.errorRate), "\(summary.words.substitutions)",
          "\(summary.words.deletions)", "\(summary.words.insertions)",
          Figures.percent(summary.characters.errorRate),
        ]
      }
      let header = [grouping.column, "utterances", "words", "WER %", "sub", "del", "ins", "CER %"]
      return """
        <section><details open><summary><h2>By \(HTMLText.escaped(grouping.column))</h2></summary>
        \(HTMLText.table(header, rows, isSortable: true))</details></section>

        """
    }.joined()
  }

  private var plots: String {
    let utterances = report.score.utterances
    let found = utterances.map { audio[$0.reference.id] }
    let all = [
      RatePlot(
        title: "Word error rate by length", axis: "words", utterances,
        utterances.map { Double($0.words.referenceLength) }),
      RatePlot(
        title: "Word error rate by duration", axis: "seconds", utterances,
        zip(utterances, found).map { ($0.reference.duration ?? $1?.duration).map(Self.tenths) }),
      RatePlot(
        title: "Word error rate by signal-to-noise ratio", axis: "dB (estimated)", utterances,
        found.map { $0?.signalToNoise.map(Self.tenths) }),
    ]
    return "<section id=\"plots\"><h2>What makes it hard</h2><div class=\"plots\">"
      + all.map(\.svg).joined() + "</div></section>\n"
  }

  private static func tenths(_ value: Double) -> Double { (10 * value).rounded() / 10 }

  private var errorWords: String {
    let confusions = report.confusions
    let lists = [
      (
        "Substituted", ["said", "heard", "times"],
        confusions.substitutions.prefix(Self.entries).map {
          [$0.reference, $0.hypothesis, "\($0.count)"]
        }
      ),
      (
        "Deleted", ["word", "times"],
        confusions.deletions.prefix(Self.entries).map {
          [$0.word, "\($0.count)"]
        }
      ),
      (
        "Inserted", ["word", "times"],
        confusions.insertions.prefix(Self.entries).map {
          [$0.word, "\($0.count)"]
        }
      ),
      (
        "Missed most", ["word", "missed", "said"],
        confusions.missedWords.prefix(Self.entries).map {
          [$0.word, "\($0.errors)", "\($0.count)"]
        }
      ),
    ]
    let tables = lists.map { name, header, rows in
      "<div><h3>\(name)</h3>\(HTMLText.table(header, Array(rows)))</div>"
    }
    return
      "<section id=\"words\"><h2>Error words</h2><div class=\"lists\">\(tables.joined())</div></section>\n"
  }

  private var conditions: String {
    guard !report.conditions.isEmpty else { return "" }
    let rows = report.conditions.map { [$0.name, $0.value] }
    return "<section id=\"conditions\"><h2>How it was measured</h2>"
      + HTMLText.table(["", ""], rows) + "</section>\n"
  }
}
