import ArgumentParser
import Audio
import Dispatch
import Foundation
import Recognizer
import Synchronization

struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Settle the text of files in several ways at once, to compare and tune them.",
    discussion: """
      Each file is heard once, and every utterance is settled by each --pass. Prints a line of JSON \
      per file: what each pass said, the seconds that it took, and with --n-best the texts it had \
      in mind with their scores. "greedy" is the first pass alone, "beam" a prefix beam search \
      over its frames; the other passes are those of --final-pass, and may change its weights:

        starling compare --latency 640ms --pass greedy --pass joint,joint-ctc-weight=0.7 FILE…
      """)

  @OptionGroup var recognition: RecognitionArguments
  @OptionGroup var decoding: DecodingArguments

  @Argument(help: "Audio files.")
  var files: [String]

  @Option(
    name: .customLong("pass"),
    help: ArgumentHelp(
      "A way to settle; repeatable. (default: each)", valueName: "name[,weight=value…]"))
  var passes: [ComparedPass] = ComparedPass.all

  @Option(help: "Files to hear at once.")
  var jobs = 1

  func validate() throws {
    guard (1...256).contains(jobs) else {
      throw ValidationError("--jobs is \(jobs), expected 1 to 256")
    }
  }

  func run() throws {
    let model = try recognition.loadModel()
    let next = Mutex(0)
    let failure = Mutex<(any Error)?>(nil)
    do {
      let ways = try passes.map { try $0.options(decoding, model) }
      DispatchQueue.concurrentPerform(iterations: min(jobs, files.count)) { _ in
        let workspace = Workspace()
        while let file = next.withLock({ index -> String? in
          defer { index += 1 }
          return index < files.count ? files[index] : nil
        }), failure.withLock({ $0 == nil }) {
          do {
            try Terminal.print(try compare(file, model, ways, workspace) + "\n")
          } catch {
            failure.withLock { $0 = error }
          }
        }
      }
    } catch {
      throw Terminal.failure(error)
    }
    if let error = failure.withLock({ $0 }) { throw Terminal.failure(error) }
  }

  private func compare(
    _ file: String, _ model: RecognizerModel, _ ways: [DecodingOptions], _ workspace: Workspace
  ) throws -> String {
    let reader = try AudioFileReader(path: file, sampleRate: model.sampleRate)
    let stream = model.makeStream(
      RecognizerOptions(
        latency: recognition.latency ?? .fullContext, leftContext: recognition.leftContext,
        endpointRules: decoding.endpointRules, wantsPartials: false),
      workspace: workspace)
    let tally = Tally(passes: passes.map(\.name))
    stream.observer = StreamObserver(ended: { settle in
      for (index, way) in ways.enumerated() {
        let start = ContinuousClock.now
        let texts = settle(way)
        tally.add(
          texts, to: index, seconds: Self.seconds(since: start), nBest: decoding.nBest)
      }
    })
    let start = ContinuousClock.now
    while true {
      let samples = try reader.read(model.sampleRate)
      if samples.isEmpty { break }
      _ = stream.accept(samples)
    }
    _ = stream.finish()
    let line = Line(
      file: file, duration: stream.duration,
      seconds: Self.seconds(since: start) - tally.seconds,
      passes: Dictionary(uniqueKeysWithValues: zip(tally.names, tally.lines)))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(line), as: UTF8.self)
  }

  private static func seconds(since start: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - start) / .seconds(1)
  }

  private struct Line: Encodable {
    let file: String
    let duration: Double
    /// Those of the first pass, greedy search included.
    let seconds: Double
    let passes: [String: PassLine]
  }

  private struct PassLine: Encodable {
    var text = ""
    /// On top of those of the first pass.
    var seconds = 0.0
    /// Of each utterance; empty without --n-best.
    var utterances: [[TextLine]] = []
  }

  private struct TextLine: Encodable {
    let text: String
    /// Of its words; of the best text only.
    let confidences: [Double]
    let scores: [String: Double]
  }

  /// What the passes have said of one file so far.
  private final class Tally {
    let names: [String]
    private(set) var lines: [PassLine]
    var seconds: Double { lines.reduce(0) { $0 + $1.seconds } }

    init(passes: [String]) {
      names = passes
      lines = passes.map { _ in PassLine() }
    }

    func add(_ texts: [Alternative], to pass: Int, seconds: Double, nBest: Int) {
      lines[pass].seconds += seconds
      let text = texts[0].text
      if !text.isEmpty { lines[pass].text += (lines[pass].text.isEmpty ? "" : " ") + text }
      guard nBest > 0 else { return }
      lines[pass].utterances.append(
        texts.prefix(nBest).enumerated().map { Self.line($1, isBest: $0 == 0) })
    }

    private static func line(_ text: Alternative, isBest: Bool) -> TextLine {
      var scores: [String: Double] = [:]
      if let all = text.scores {
        scores = ["total": all.total, "ctc": all.ctc, "tokens": Double(all.tokenCount)]
        scores["attention"] = all.attention
        scores["reverse_attention"] = all.reverseAttention
        scores["rescoring_language_model"] = all.rescoringLanguageModel
        for bias in all.biases { scores[bias.name] = bias.score }
      }
      return TextLine(
        text: text.text, confidences: isBest ? text.words.map(\.confidence) : [], scores: scores)
    }
  }
}

/// A way to settle utterances: `greedy`, `beam`, or a final pass and weights for it.
struct ComparedPass: ExpressibleByArgument {
  /// As the user wrote it.
  let name: String
  private let finalPass: FinalPass
  private let usesBeam: Bool
  private let weights: [(key: String, value: Double)]

  static let all = (["greedy", "beam"] + FinalPass.allCases.dropFirst().map(\.rawValue))
    .compactMap { ComparedPass(argument: $0) }

  private static let keys = [
    "attention-weight", "reverse-weight", "length-bonus", "joint-ctc-weight", "joint-length-bonus",
  ]

  init?(argument: String) {
    let parts = argument.split(separator: ",").map(String.init)
    guard let first = parts.first else { return nil }
    switch first {
    case "greedy": (finalPass, usesBeam) = (.none, false)
    case "beam": (finalPass, usesBeam) = (.none, true)
    default:
      guard let pass = FinalPass(rawValue: first), pass != .none else { return nil }
      (finalPass, usesBeam) = (pass, true)
    }
    var weights: [(String, Double)] = []
    for part in parts.dropFirst() {
      let pair = part.split(separator: "=").map(String.init)
      guard pair.count == 2, Self.keys.contains(pair[0]), let value = Double(pair[1]),
        value.isFinite
      else { return nil }
      weights.append((pair[0], value))
    }
    (name, self.weights) = (argument, weights)
  }

  static var allValueStrings: [String] { all.map(\.name) }

  func options(
    _ arguments: DecodingArguments, _ model: RecognizerModel
  ) throws -> DecodingOptions {
    var arguments = arguments
    arguments.finalPass = finalPass
    for (key, value) in weights {
      switch key {
      case "attention-weight": arguments.attentionWeight = value
      case "reverse-weight": arguments.reverseWeight = value
      case "length-bonus": arguments.lengthBonus = value
      case "joint-ctc-weight": arguments.jointCTCWeight = value
      default: arguments.jointLengthBonus = value
      }
    }
    try arguments.validate()
    if usesBeam {
      arguments.beam = arguments.beam ?? max(8, arguments.nBest)
    } else {
      arguments.beam = nil
      arguments.nBest = 0
    }
    return try arguments.options(model)
  }
}
