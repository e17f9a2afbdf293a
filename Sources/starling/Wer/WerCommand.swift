import ArgumentParser
import Audio
import Evaluation
import Foundation
import Recognizer
import Transcripts

struct WerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "wer",
    abstract: "Measure the word error rate of texts, with its interval.",
    discussion: """
      REF and HYP are text (a line an utterance, paired by order), Kaldi's text, trn, stm, ctm, csv, \
      tsv, json, jsonl or folders of .txt files, as their names say. Without HYP the audio in \
      --audio is transcribed. Utterances that HYP lacks count as deleted, those that REF lacks are \
      left out; both are said. Intervals come from drawing the speakers anew. The exit code is 2 if \
      REF or HYP cannot be used.

        starling wer ref.txt hyp.txt
        starling wer --audio dev-clean --latency 640ms --report page.html dev-clean/manifest.tsv
        starling wer ref.trn mine.trn --against theirs.trn --alignment sclite
      """)

  @Argument(help: ArgumentHelp("Reference texts; - for standard input.", valueName: "ref"))
  var reference: String

  @Argument(help: ArgumentHelp("Recognised texts; - for standard input.", valueName: "hyp"))
  var hypothesis: String?

  @Option(
    help: ArgumentHelp(
      "Folder of the utterances' audio: transcribed if there is no HYP, and heard in the page.",
      valueName: "folder"))
  var audio: String?

  @Option(
    help: ArgumentHelp(
      "Texts of a second system, for paired tests of the difference.", valueName: "hyp"))
  var against: String?

  @OptionGroup var utterances: UtteranceArguments

  @Option(
    help: ArgumentHelp(
      "What is done to the texts before they are compared.",
      valueName: TextNormalizer.allCases.map(\.rawValue).joined(separator: "|")))
  var normalizer: TextNormalizer = .none

  @Option(
    help: ArgumentHelp(
      "Fewest errors, as jiwer counts, or NIST's costs.",
      valueName: AlignmentRule.allCases.map(\.rawValue).joined(separator: "|")))
  var alignment: AlignmentRule = .levenshtein

  @Option(help: "Draws of the bootstrap.")
  var draws = 10_000

  @Option(help: "Share of the draws within an interval, in %.")
  var confidence = 95.0

  @Option(help: "Seed of the draws.")
  var seed: UInt64 = 1

  @OptionGroup var output: ReportArguments
  @OptionGroup var recognition: RecognitionArguments
  @OptionGroup var decoding: DecodingArguments

  @Option(help: "Files to transcribe at once. (default: one for each processor core)")
  var jobs: Int?

  func validate() throws {
    guard hypothesis != nil || audio != nil else {
      throw ValidationError("name the recognised texts, or the folder of the audio by --audio")
    }
    guard [reference, hypothesis, against].count(where: { $0 == "-" }) <= 1 else {
      throw ValidationError("standard input (-) can be named once")
    }
    guard (1...1_000_000).contains(draws) else {
      throw ValidationError("--draws is \(draws), expected 1 to 1000000")
    }
    guard confidence > 0, confidence < 100 else {
      throw ValidationError("--confidence is \(confidence), expected more than 0 and less than 100")
    }
    if let jobs, !(1...256).contains(jobs) {
      throw ValidationError("--jobs is \(jobs), expected 1 to 256")
    }
  }

  func run() throws {
    do {
      let library = try audio.map { try AudioLibrary(folder: $0) }
      let report = try makeReport(library)
      for remark in report.score.remarks where output.format != .text { Terminal.log(remark) }
      try output.write(report, library)
    } catch let error as EvaluationError {
      Terminal.log("\(error)")
      throw ExitCode(2)
    } catch let error as ExitCode {
      throw error
    } catch {
      throw Terminal.failure(error)
    }
  }

  private func makeReport(_ library: AudioLibrary?) throws -> EvaluationReport {
    let references = try utterances.references(reference)
    let heard = try hypotheses(references, library)
    let rivals = try against.map { try utterances.hypotheses($0) }
    var scorer = Scorer(normalizer: normalizer, rule: alignment)
    let pairing = try UtterancePairing(references, heard, isStrict: utterances.strict)
    let score = scorer.score(pairing, name: heard.file)
    let rival = try rivals.map {
      scorer.score(
        try UtterancePairing(references, $0, isStrict: utterances.strict), name: $0.file)
    }
    let bootstrap = BlockBootstrap(
      speakers: score.utterances.map(\.reference.speaker), draws: draws,
      confidence: confidence / 100, seed: seed)
    var report = EvaluationReport(
      reference: reference, normalizer: normalizer, rule: alignment, score: score,
      rival: rival, columns: utterances.groups, bootstrap: bootstrap)
    report.conditions = output.conditions
    return report
  }

  private func hypotheses(
    _ references: UtteranceList, _ library: AudioLibrary?
  ) throws -> UtteranceList {
    if let hypothesis { return try utterances.hypotheses(hypothesis) }
    guard let library else { preconditionFailure("validate() asks for HYP or --audio") }
    let model = try recognition.loadModel()
    let transcriber = try FileTranscriber(
      model, recognition, decoding, raw: try RawAudioArguments.parse([]), processor: nil)
    let jobs = jobs ?? ProcessInfo.processInfo.activeProcessorCount
    return try AudioHypotheses(transcriber: transcriber, jobs: jobs).hear(references, in: library)
  }
}
