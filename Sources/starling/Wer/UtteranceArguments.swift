import ArgumentParser
import Evaluation

/// The options that say how references and hypotheses are to be read.
struct UtteranceArguments: ParsableArguments {
  private static let formats = UtteranceFormat.allCases.map(\.rawValue).joined(separator: "|")

  @Option(
    help: ArgumentHelp(
      "What REF is. (default: what its name says)", valueName: Self.formats))
  var refFormat: UtteranceFormat?

  @Option(help: ArgumentHelp("What HYP is. (default: what its name says)", valueName: "format"))
  var hypFormat: UtteranceFormat?

  @Option(
    help: ArgumentHelp(
      "Column or key of the ids. (default: id, utt_id, …, or the name of the audio file)",
      valueName: "name"))
  var idColumn: String?

  @Option(
    help: ArgumentHelp(
      "Column or key of the references' text. (default: text, sentence, …)", valueName: "name"))
  var refColumn: String?

  @Option(
    help: ArgumentHelp(
      "Column or key of the hypotheses' text. (default: pred_text, text, …)", valueName: "name"))
  var hypColumn: String?

  @Option(
    help: ArgumentHelp(
      "Column or key of the speakers. (default: speaker, client_id, …)", valueName: "name"))
  var speakerColumn: String?

  @Option(
    help: ArgumentHelp(
      "The speaker is what stands in the id before the first of these characters, such as - in "
        + "LibriSpeech.", valueName: "characters"))
  var speakerSeparator: String?

  @Option(
    name: .customLong("group"),
    help: ArgumentHelp("Column of REF to score apart by; repeatable.", valueName: "name"))
  var groups: [String] = []

  @Flag(help: "Treat missing and extra utterances as an error.")
  var strict = false

  func references(_ path: String) throws(EvaluationError) -> UtteranceList {
    var columns = UtteranceColumns(.reference)
    (columns.id, columns.text, columns.groups) = (idColumn, refColumn, groups)
    columns.speaker = speakerColumn
    var list = try UtteranceList(path: path, format: refFormat, columns: columns)
    if let speakerSeparator {
      for index in list.utterances.indices {
        let id = list.utterances[index].id
        list.utterances[index].speaker = id.firstIndex { speakerSeparator.contains($0) }
          .map { String(id[..<$0]) }
      }
    }
    return list
  }

  func hypotheses(_ path: String) throws(EvaluationError) -> UtteranceList {
    var columns = UtteranceColumns(.hypothesis)
    (columns.id, columns.text) = (idColumn, hypColumn)
    return try UtteranceList(path: path, format: hypFormat, columns: columns)
  }
}
