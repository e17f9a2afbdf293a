public import Conformer
public import Decoding
import Tensor

/// A Transformer language model over the recogniser's own pieces, for rescoring. Immutable; any
/// number of threads may ask it at once.
public struct TransformerLanguageModel: SequenceLanguageModel {
  public let config: LanguageModelConfig
  private let network: CausalTransformer

  /// Reads `config.json`, `tokens.txt` and `model.safetensors` of a folder. Every tensor that the
  /// config calls for must be there with its shape and finite values, and no other.
  ///
  /// - Parameter vocabulary: the acoustic model's; the folder must have the same pieces.
  /// - Throws: `ModelError`, `VocabularyError`, `LanguageModelError` or `WeightError`.
  public init(directory: String, vocabulary: Vocabulary) throws {
    let file = directory + "/config.json"
    config = try LanguageModelConfig.load(file)
    try Self.check(config, file, vocabulary)
    try Self.check(
      Vocabulary(
        contentsOf: directory + "/tokens.txt", classes: config.vocabulary,
        blank: vocabulary.blank),
      equals: vocabulary)
    let weights = WeightReader(try SafetensorsFile(path: directory + "/model.safetensors"))
    network = try CausalTransformer(weights, config)
    try weights.requireAllUsed()
  }

  /// The log-probability of each sequence with its end, in nats, all in one pass.
  public func logProbs(of sequences: [[Int]]) -> [Double] {
    // An arena serves one thread.
    network.targetLogProbs(sequences, scratch: ScratchArena()).map {
      $0.reduce(0) { $0 + Double($1) }
    }
  }

  private static func check(
    _ config: LanguageModelConfig, _ file: String, _ vocabulary: Vocabulary
  ) throws(ModelError) {
    guard config.vocabulary == vocabulary.count else {
      throw .field(
        file: file, name: "vocabulary",
        expected: "\(vocabulary.count), the classes of \(name(vocabulary))",
        found: "\(config.vocabulary)")
    }
    guard vocabulary.isControl(config.startEnd) else {
      throw .field(
        file: file, name: "sos_eos",
        expected: "a class that is no text: the blank (\(vocabulary.blank)) or a symbol in <>",
        found: "\(config.startEnd) ('\(vocabulary.markedPiece(config.startEnd))')")
    }
  }

  private static func check(
    _ own: Vocabulary, equals vocabulary: Vocabulary
  ) throws(LanguageModelError) {
    let differing = (0..<own.count).first {
      own.markedPiece($0) != vocabulary.markedPiece($0)
    }
    guard let id = differing else { return }
    throw LanguageModelError(
      file: name(own),
      reason: "has the piece '\(own.markedPiece(id))' as class \(id), where \(name(vocabulary)) "
        + "has '\(vocabulary.markedPiece(id))'; a language model must be trained on the pieces of "
        + "the acoustic model")
  }

  private static func name(_ vocabulary: Vocabulary) -> String {
    vocabulary.file ?? "the acoustic model"
  }
}
