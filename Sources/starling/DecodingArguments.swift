import ArgumentParser
import Audio
import Decoding
import Foundation
import LanguageModels
import Recognizer

extension FinalPass: ExpressibleByArgument {}

/// The options that say how text is searched for.
struct DecodingArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What settles the text of an utterance: rescoring by the attention decoder, a joint search, "
        + "or rescoring after hearing the whole utterance again.",
      valueName: FinalPass.allCases.map(\.rawValue).joined(separator: "|")))
  var finalPass: FinalPass = .none

  @Option(
    help: ArgumentHelp(
      "Leave out the final pass where the first beats its rival by so much.", valueName: "nats"))
  var finalThreshold: Double?

  @Option(
    help: ArgumentHelp(
      "Weights of the decoder's auxiliary heads in the final pass. (default: the model's own)",
      valueName: "W[,W…]"))
  var auxiliaryWeights: AuxiliaryWeights?

  @Option(help: "Hypotheses of the beam search. (default: 8 where one is needed, else greedy)")
  var beam: Int?

  @Option(
    help: ArgumentHelp("A phrase to listen for; repeatable.", valueName: "phrase"))
  var hotWord: [String] = []

  @Option(
    help: ArgumentHelp(
      "Phrases to listen for, one a line, optionally a tab and a boost.", valueName: "file"))
  var hotWords: String?

  @Option(help: ArgumentHelp("Boost of a phrase without its own, -20 to 20.", valueName: "nats"))
  var hotWordBoost: Double = HotWords.defaultBoost

  @Option(help: ArgumentHelp("n-gram language model: ARPA, plain or gzip.", valueName: "file"))
  var lm: String?

  @Option(help: "Weight of the language model; 0 for none.")
  var lmWeight: Double = 0.3

  @Option(
    help: ArgumentHelp(
      "Silence that ends an utterance, or 'never'. (default: 1)", valueName: "seconds"))
  var endpointSilence: Seconds?

  @Option(
    help: ArgumentHelp(
      "Length from which an utterance ends before its next word, or 'never'. (default: 20)",
      valueName: "seconds"))
  var longestUtterance: Seconds?

  @Flag(help: "End utterances where Silero VAD hears no speech, not where CTC hears no text.")
  var vad = false

  /// A positive number of seconds, or never.
  enum Seconds: ExpressibleByArgument {
    case number(Double)
    case never

    init?(argument: String) {
      if argument == "never" {
        self = .never
      } else if let seconds = Double(argument), seconds > 0, seconds.isFinite {
        self = .number(seconds)
      } else {
        return nil
      }
    }

    var value: Double? {
      switch self {
      case .number(let seconds): seconds
      case .never: nil
      }
    }
  }

  func validate() throws {
    if let beam, !(1...1000).contains(beam) {
      throw ValidationError("--beam is \(beam), expected 1 to 1000")
    }
    if let finalThreshold, !(finalThreshold >= 0) {
      throw ValidationError("--final-threshold is \(finalThreshold), expected at least 0")
    }
    guard (0...10).contains(lmWeight) else {
      throw ValidationError("--lm-weight is \(lmWeight), expected 0 to 10")
    }
  }

  var endpointRules: EndpointRules {
    var rules = EndpointRules()
    if let endpointSilence { rules.trailingSilence = endpointSilence.value }
    if let longestUtterance { rules.longestUtterance = longestUtterance.value }
    return rules
  }

  /// The detector of speech that the user asked for.
  func voiceActivityDetector() throws -> SileroVAD? {
    vad ? try SileroVAD(path: ModelLocator.voiceActivityModel()) : nil
  }

  /// The options for streams of `model`.
  ///
  /// - Throws: `FinalPassError`, `HotWordError` or `LanguageModelError`.
  func options(_ model: RecognizerModel) throws -> DecodingOptions {
    var options = DecodingOptions(
      finalPass: finalPass, biases: try biases(model.vocabulary), finalThreshold: finalThreshold,
      auxiliaryWeights: auxiliaryWeights?.values)
    if let beam { options.beam = CTCPrefixBeamOptions(beamSize: beam, tokensPerFrame: beam) }
    try model.check(options)
    return options
  }

  private func biases(_ vocabulary: Vocabulary) throws -> [WeightedBias] {
    var biases: [WeightedBias] = []
    let phrases =
      try (hotWords.map { try HotWord.read(contentsOf: $0) } ?? []) + hotWord.map { HotWord($0) }
    if !phrases.isEmpty {
      biases.append(
        WeightedBias(
          try HotWords(
            phrases, boost: hotWordBoost, segmenter: TokenSegmenter(vocabulary))))
    }
    if let lm, lmWeight > 0 {
      let model = try NGramModel(contentsOf: lm)
      let bias: any TokenBias =
        model.isOverPieces
        ? try TokenLanguageBias(model, vocabulary: vocabulary)
        : try WordLanguageBias(model, vocabulary: vocabulary)
      biases.append(WeightedBias(bias, weight: lmWeight))
    }
    return biases
  }
}
