/// A row for each utterance, for spreadsheets (RFC 4180).
public struct CSVReport {
  private let report: EvaluationReport

  public init(_ report: EvaluationReport) { self.report = report }

  public var text: String {
    let columns = report.groupings.map(\.column).filter { $0 != "speaker" && $0 != "recording" }
    let header =
      ["id", "speaker"] + columns + [
        "words", "hits", "substitutions", "deletions", "insertions", "wer", "cer", "missing",
        "reference", "hypothesis",
      ]
    let rows = report.score.utterances.map { row($0, columns) }
    return ([header] + rows).map { $0.map(Self.quoted).joined(separator: ",") + "\r\n" }.joined()
  }

  private func row(_ utterance: ScoredUtterance, _ columns: [String]) -> [String] {
    let (reference, words) = (utterance.reference, utterance.words)
    return [reference.id, reference.speaker ?? ""] + columns.map { reference.groups[$0] ?? "" } + [
      "\(words.referenceLength)", "\(words.hits)", "\(words.substitutions)", "\(words.deletions)",
      "\(words.insertions)", "\(words.errorRate)", "\(utterance.characters.errorRate)",
      utterance.hypothesis == nil ? "1" : "0",
      text(utterance.referenceWords), text(utterance.hypothesisWords),
    ]
  }

  private func text(_ words: [Int32]) -> String {
    words.map { report.score.tokens[$0] }.joined(separator: " ")
  }

  private static func quoted(_ value: String) -> String {
    guard value.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else {
      return value
    }
    return "\"" + value.replacing("\"", with: "\"\"") + "\""
  }
}
