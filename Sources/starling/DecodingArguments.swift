import ArgumentParser
import Audio
import Conformer
import Decoding
import Foundation
import LanguageModels
import Recognizer

extension FinalPass: ExpressibleByArgument {}

/// The options that say how text is searched for.
///
/// Numbers are parsed unconditionally, for a value may begin with a dash.
struct DecodingArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "What settles the text of an utterance: rescoring by the attention decoder, a joint search, "
        + "or rescoring after hearing the whole utterance again.",
      valueName: FinalPass.allCases.map(\.rawValue).joined(separator: "|")))
  var finalPass: FinalPass = .none

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Leave out the final pass where the first beats its rival by so much.", valueName: "nats"))
  var finalThreshold: Double?

  @Option(
    help: ArgumentHelp(
      "Weights of the decoder's auxiliary heads in the final pass. (default: the model's own)",
      valueName: "W[,W…]"))
  var auxiliaryWeights: AuxiliaryWeights?

  @Option(
    parsing: .unconditional,
    help: "Hypotheses of the beam search. (default: 8 where one is needed, else greedy)")
  var beam: Int?

  @Option(
    parsing: .unconditional,
    help: "Texts that a final result may have had, with their scores, in json and jsonl.")
  var nBest: Int = 0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Weight of the attention decoder in rescoring, CTC having 1. (default: the model's)",
      valueName: "weight"))
  var attentionWeight: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Share of the right-to-left decoder in rescoring, 0 to 1. (default: the model's)",
      valueName: "share"))
  var reverseWeight: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Bonus of each token in rescoring. (default: the model's)", valueName: "nats"))
  var lengthBonus: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Weight of CTC in the joint search, 0 to 1, the decoder having the rest. (default: the "
        + "model's)", valueName: "weight"))
  var jointCTCWeight: Double?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Bonus of each token in the joint search. (default: the model's)", valueName: "nats"))
  var jointLengthBonus: Double?

  @Option(
    help: ArgumentHelp("A phrase to listen for; repeatable.", valueName: "phrase"))
  var hotWord: [String] = []

  @Option(
    help: ArgumentHelp(
      "Phrases to listen for, one a line, optionally a tab and a boost per piece.",
      valueName: "file"))
  var hotWords: String?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Boost of a phrase without its own for each of its pieces, -20 to 20.", valueName: "nats"))
  var hotWordBoost: Double = HotWords.defaultBoost

  @Option(help: ArgumentHelp("n-gram language model: ARPA, plain or gzip.", valueName: "file"))
  var lm: String?

  @Option(parsing: .unconditional, help: "Weight of the language model; 0 for none.")
  var lmWeight: Double = 0.3

  @Option(
    help: ArgumentHelp(
      "Language model that rescores the texts of the final pass: an ARPA file, or the folder of a "
        + "Transformer.", valueName: "path"))
  var rescoringLM: String?

  @Option(
    parsing: .unconditional, help: "Weight of the rescoring language model; 0 for none.")
  var rescoringLMWeight: Double = 0.3

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Silence that ends an utterance, or 'never'. (default: 1)", valueName: "seconds"),
    transform: Seconds.init)
  var endpointSilence: Seconds?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Silence that ends an utterance without any text, as an empty one, or 'never'. "
        + "(default: never)", valueName: "seconds"),
    transform: Seconds.init)
  var endpointNoText: Seconds?

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp(
      "Length from which an utterance ends before its next word, or 'never'. (default: 20)",
      valueName: "seconds"),
    transform: Seconds.init)
  var longestUtterance: Seconds?

  @Flag(help: "End utterances where Silero VAD hears no speech, not where CTC hears no text.")
  var vad = false

  /// A positive number of seconds, or never.
  enum Seconds {
    case number(Double)
    case never

    init(_ argument: String) throws {
      if argument == "never" {
        self = .never
      } else if let seconds = Double(argument), seconds > 0, seconds.isFinite {
        self = .number(seconds)
      } else {
        throw ValidationError("expected a positive number of seconds or 'never'")
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
    if let finalThreshold, !(finalThreshold >= 0 && finalThreshold.isFinite) {
      throw ValidationError(
        "--final-threshold is \(finalThreshold), expected a number of at least 0")
    }
    guard HotWords.boostRange.contains(hotWordBoost) else {
      throw ValidationError("--hot-word-boost is \(hotWordBoost), expected -20 to 20")
    }
    for (option, value, range) in [
      ("--lm-weight", lmWeight, 0.0...10), ("--rescoring-lm-weight", rescoringLMWeight, 0...10),
      ("--attention-weight", attentionWeight, 0...100),
      ("--reverse-weight", reverseWeight, 0...1), ("--length-bonus", lengthBonus, -20...20),
      ("--joint-ctc-weight", jointCTCWeight, 0...1),
      ("--joint-length-bonus", jointLengthBonus, -20...20),
    ] {
      guard let value, !range.contains(value) else { continue }
      func short(_ bound: Double) -> String { String(format: "%g", bound) }
      throw ValidationError(
        "\(option) is \(value), expected \(short(range.lowerBound)) to \(short(range.upperBound))")
    }
    if rescoringLM != nil, finalPass != .rescore, finalPass != .fullContext {
      throw ValidationError(
        "--rescoring-lm needs a final pass that rescores: --final-pass rescore or full-context")
    }
    guard (0...100).contains(nBest) else {
      throw ValidationError("--n-best is \(nBest), expected 0 to 100")
    }
  }

  var endpointRules: EndpointRules {
    var rules = EndpointRules()
    if let endpointSilence { rules.trailingSilence = endpointSilence.value }
    if let endpointNoText { rules.silenceWithoutText = endpointNoText.value }
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
      finalPass: finalPass, weights: weights(model.decodingWeights),
      biases: try biases(model.vocabulary), finalThreshold: finalThreshold, nBest: nBest)
    if let rescoringLM, rescoringLMWeight > 0 {
      options.rescoringLanguageModel = try LanguageModelLoader.load(
        rescoringLM, vocabulary: model.vocabulary)
      options.rescoringLanguageWeight = rescoringLMWeight
    }
    if let beam { options.beam = CTCPrefixBeamOptions(beamSize: beam, tokensPerFrame: beam) }
    try model.check(options)
    return options
  }

  /// The model's weights with those that the user has chosen.
  private func weights(_ tuned: DecodingConfig) -> DecodingConfig {
    var weights = tuned
    if let attentionWeight { weights.attentionWeight = attentionWeight }
    if let reverseWeight { weights.reverseWeight = reverseWeight }
    if let lengthBonus { weights.lengthBonus = lengthBonus }
    if let jointCTCWeight { weights.jointCTCWeight = jointCTCWeight }
    if let jointLengthBonus { weights.jointLengthBonus = jointLengthBonus }
    if let auxiliaryWeights { weights.auxiliaryWeights = auxiliaryWeights.values }
    return weights
  }

  private func biases(_ vocabulary: Vocabulary) throws -> [WeightedBias] {
    var biases: [WeightedBias] = []
    let phrases =
      try (hotWords.map { try HotWord.read(contentsOf: $0) } ?? []) + hotWord.map { HotWord($0) }
    if !phrases.isEmpty {
      biases.append(
        WeightedBias(
          try HotWords(
            phrases, boost: hotWordBoost, segmenter: TokenSegmenter(vocabulary)),
          name: "hot_words"))
    }
    if let lm, lmWeight > 0 {
      let model = try NGramModel(contentsOf: lm)
      let bias: any TokenBias =
        model.isOverPieces
        ? try TokenLanguageBias(model, vocabulary: vocabulary)
        : try WordLanguageBias(model, vocabulary: vocabulary)
      biases.append(WeightedBias(bias, weight: lmWeight, name: "language_model"))
    }
    return biases
  }
}
