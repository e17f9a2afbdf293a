import Conformer
import Decoding
import Foundation
import LanguageModels
import Tensor
import TestSupport
import Testing

/// What is wrong with a language model's folder is said by file and field.
final class LanguageModelFolderTests {
  private let folder: LanguageModelFolder

  init() throws { folder = try LanguageModelFolder() }

  deinit { folder.remove() }

  private func message<Failure: Error & CustomStringConvertible>(
    _ type: Failure.Type
  ) -> String {
    do {
      _ = try folder.load()
      return "no error"
    } catch let error as Failure {
      return error.description
    } catch {
      return "\(Swift.type(of: error)): \(error)"
    }
  }

  @Test func wholeFoldersLoad() throws {
    #expect(
      try folder.load().config
        == LanguageModelConfig(
          model: "tiny-lm", width: 8, heads: 2, feedForwardWidth: 12, layers: 2, vocabulary: 10,
          startEnd: 9))
    // The blank's place is the acoustic model's; a log-probability beside a piece does not matter.
    try folder.setTokens(LanguageModelFolder.pieces.map { $0 + "\t-1.5" })
    _ = try folder.load()
    // Another class that is no text may start and end.
    try folder.setConfig("sos_eos", 0)
    _ = try folder.load()
  }

  @Test(arguments: [
    "format", "model", "d_model", "n_heads", "d_feed_forward", "layers", "vocabulary", "sos_eos",
  ])
  func missingOrMistyped(field: String) throws {
    try folder.setConfig(field, nil)
    #expect(
      message(ModelError.self)
        == "\(folder.config): not a model description: the field '\(field)' is missing")
    try folder.setConfig(field, ["neither", "nor"])
    #expect(message(ModelError.self).contains("the field '\(field)' is not of type"))
  }

  /// The ends of every range are good, what lies beyond is not.
  @Test(arguments: [
    ("d_model", [2, 8192], [1, 0, -8, 8194], "2 to 8192"),
    ("n_heads", [1, 8], [0, 3, 16, -2], "a divisor of d_model (8)"),
    ("d_feed_forward", [1, 65_536], [0, 65_537], "1 to 65536"),
    ("layers", [1, 256], [0, 257, -1], "1 to 256"),
    ("vocabulary", [10, 1_000_000], [1, 0, -10, 1_000_001], "2 to 1000000"),
    ("sos_eos", [0, 9], [10, -1], "a class below vocabulary (10)"),
  ])
  func range(field: String, good: [Int], bad: [Int], expected: String) throws {
    for value in good {
      try folder.setConfig(field, value)
      #expect(throws: Never.self) { try LanguageModelConfig.load(self.folder.config) }
    }
    for value in bad {
      try folder.setConfig(field, value)
      #expect(
        message(ModelError.self)
          == "\(folder.config): '\(field)' is \(value), expected \(expected)")
    }
  }

  @Test func foldersOfOtherKinds() throws {
    try folder.setConfig("format", "starling-lm-2")
    #expect(
      message(ModelError.self)
        == "\(folder.config): 'format' is 'starling-lm-2', expected 'starling-lm-1'")
    // An acoustic model, and a language model for an acoustic one.
    let shipped = Places.shippedModel
    #expect(
      throws: ModelError.field(
        file: shipped + "/config.json", name: "format", expected: "'starling-lm-1'",
        found: "'starling-1'")
    ) {
      try TransformerLanguageModel(
        directory: shipped, vocabulary: LanguageModelFolder.vocabulary)
    }
    let fixture = LanguageModelFolder.fixture
    #expect(
      throws: ModelError.field(
        file: fixture + "/config.json", name: "format", expected: "'starling-1'",
        found: "'starling-lm-1'")
    ) { try ConformerModel(directory: fixture) }
  }

  @Test func piecesMustBeThoseOfTheAcousticModel() throws {
    try folder.setConfig("vocabulary", 11)
    #expect(
      message(ModelError.self)
        == "\(folder.config): 'vocabulary' is 11, expected 10, the classes of acoustic/tokens.txt")
    try folder.setConfig("vocabulary", 10)

    var pieces = LanguageModelFolder.pieces
    pieces[4] = "▁t"
    pieces.swapAt(6, 7)
    try folder.setTokens(pieces)
    #expect(
      message(LanguageModelError.self)
        == "\(folder.tokens): has the piece '▁t' as class 4, where acoustic/tokens.txt has 't'; a "
        + "language model must be trained on the pieces of the acoustic model")
    try folder.setTokens(LanguageModelFolder.pieces.dropLast())
    #expect(message(VocabularyError.self).hasPrefix("\(folder.tokens): has 8 pieces, expected 9"))
  }

  @Test func textDoesNotStartOrEnd() throws {
    try folder.setConfig("sos_eos", 1)
    #expect(
      message(ModelError.self)
        == "\(folder.config): 'sos_eos' is 1 ('▁the'), expected a class that is no text: the blank "
        + "(9) or a symbol in <>")
  }

  @Test func eachTensorIsNeeded() throws {
    let tensors = try LanguageModelFolder.tensors()
    #expect(tensors.count == 37)
    for index in tensors.indices {
      var fewer = tensors
      let gone = fewer.remove(at: index)
      try folder.setWeights(fewer)
      #expect(
        throws: WeightError.missing(file: folder.weights, tensor: gone.name, expected: gone.shape)
      ) { try self.folder.load() }
      let longer = gone.shape + [1]
      let values = [Float](repeating: 1, count: gone.bytes.count / 4)
      try folder.setWeights(fewer + [.float32(gone.name, longer, values)])
      #expect(
        throws: WeightError.wrongShape(
          file: folder.weights, tensor: gone.name, found: longer, expected: gone.shape)
      ) { try self.folder.load() }
      let sick = values.dropLast() + [.nan]
      try folder.setWeights(fewer + [.float32(gone.name, gone.shape, Array(sick))])
      #expect(
        throws: WeightError.notFinite(
          file: folder.weights, tensor: gone.name, index: values.count - 1)
      ) { try self.folder.load() }
    }
    try folder.setWeights(
      tensors + [
        .float32("layers.2.norm1.weight", [8], [Float](repeating: 1, count: 8))
      ])
    #expect(
      throws: WeightError.unused(file: folder.weights, tensors: ["layers.2.norm1.weight"])
    ) { try self.folder.load() }
  }

  @Test func missingFiles() throws {
    try FileManager.default.removeItem(atPath: folder.weights)
    #expect(message(WeightError.self).contains(folder.weights))
    try FileManager.default.removeItem(atPath: folder.tokens)
    #expect(message(VocabularyError.self).contains(folder.tokens))
    try FileManager.default.removeItem(atPath: folder.config)
    #expect(message(ModelError.self).contains("\(folder.config): cannot be read: no such file"))
  }
}

/// The path says which kind of language model it is.
struct LanguageModelLoaderTests {
  private let vocabulary = LanguageModelFolder.vocabulary

  @Test func foldersAreTransformers() throws {
    let model = try LanguageModelLoader.load(LanguageModelFolder.fixture, vocabulary: vocabulary)
    #expect(model is TransformerLanguageModel)
    let empty = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: empty) }
    #expect(throws: ModelError.self) {
      try LanguageModelLoader.load(empty, vocabulary: self.vocabulary)
    }
  }

  @Test func filesAreNGrams() throws {
    let folder = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func load(_ words: [String]) throws -> any SequenceLanguageModel {
      let grams = words.map { "-1 \($0)\n" }.joined()
      try "\\data\\\nngram 1=\(words.count)\n\\1-grams:\n\(grams)\\end\\\n".write(
        toFile: folder + "/lm.arpa", atomically: true, encoding: .utf8)
      return try LanguageModelLoader.load(folder + "/lm.arpa", vocabulary: vocabulary)
    }
    #expect(try load(["</s>", "the", "a"]) is WordLanguageBias)
    #expect(try load(["</s>"] + LanguageModelFolder.pieces) is TokenLanguageBias)
    #expect(throws: LanguageModelError.self) { try load(["▁other"]) }
    #expect(
      throws: LanguageModelError(file: folder + "/none.arpa", reason: "no such file")
    ) { try LanguageModelLoader.load(folder + "/none.arpa", vocabulary: self.vocabulary) }
  }
}
