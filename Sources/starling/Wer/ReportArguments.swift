import ArgumentParser
import Evaluation
import Foundation
import Transcripts

/// The options that say what becomes of a score.
struct ReportArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Form of the result: json has rates and counts, csv a row for each utterance, html the page.",
      valueName: ReportFormat.allCases.map(\.rawValue).joined(separator: "|")))
  var format: ReportFormat = .text

  @Option(help: "File for the result. (default: standard output)")
  var output: String?

  @Option(
    help: ArgumentHelp(
      "Also write a page with intervals, plots and searchable alignments.", valueName: "file.html"))
  var report: String?

  @Option(help: "Title of the page. (default: the names of both files)")
  var title: String?

  @Option(
    name: .customLong("condition"),
    help: ArgumentHelp(
      "How it was measured, for the page and json; repeatable.", valueName: "name=value"),
    transform: Self.condition)
  var conditions: [(name: String, value: String)] = []

  @Option(
    help: ArgumentHelp(
      "Audio to put into the page, the worst utterances first; the rest is linked.",
      valueName: "MiB"))
  var embedAudio = 8

  @Option(
    help: ArgumentHelp(
      "List the alignments of so many utterances, those with the most errors, or 'all' with an "
        + "error; json then has every utterance.", valueName: "count|all"),
    transform: Self.listing)
  var alignments: TextReport.Listing = .none

  @Option(help: "Confusions to list of each kind.")
  var confusions = 10

  func validate() throws {
    guard (0...100_000).contains(confusions) else {
      throw ValidationError("--confusions is \(confusions), expected 0 to 100000")
    }
    guard (0...1024).contains(embedAudio) else {
      throw ValidationError("--embed-audio is \(embedAudio), expected 0 to 1024")
    }
  }

  func write(_ report: EvaluationReport, _ library: AudioLibrary?) throws {
    if let page = self.report {
      try AtomicOutput.write(html(report, library, page), to: page)
    }
    let isTerminal = output == nil && Terminal.outputIsTerminal
    let text =
      switch format {
      case .text:
        TextReport(
          report, confusions: confusions, listing: alignments,
          width: isTerminal ? Terminal.width : 100, isColored: isTerminal
        ).text
      case .json:
        JSONReport(report, confusions: confusions, listsUtterances: alignments != .none).text
      case .csv: CSVReport(report).text
      case .html: html(report, library, output ?? "page.html")
      }
    if let output {
      try AtomicOutput.write(text, to: output)
    } else {
      try Terminal.print(text)
    }
  }

  private func html(
    _ report: EvaluationReport, _ library: AudioLibrary?, _ path: String
  ) -> String {
    let folder = (path as NSString).deletingLastPathComponent
    let survey = AudioSurvey(embedded: embedAudio, pageFolder: folder.isEmpty ? "." : folder)
    let audio = library.map { survey.audio(of: report.score.utterances, in: $0) } ?? [:]
    let title = title ?? "\(report.score.name) against \(report.reference)"
    return ReportPage(report, title: title, audio: audio).text
  }

  private static func listing(_ argument: String) throws -> TextReport.Listing {
    if argument == "all" { return .wrong }
    guard let count = Int(argument), count >= 0 else {
      throw ValidationError("--alignments is '\(argument)', expected a number or 'all'")
    }
    return count == 0 ? .none : .worst(count)
  }

  private static func condition(_ argument: String) throws -> (name: String, value: String) {
    guard let equals = argument.firstIndex(of: "=") else {
      throw ValidationError("--condition is '\(argument)', expected name=value")
    }
    return (String(argument[..<equals]), String(argument[argument.index(after: equals)...]))
  }
}
