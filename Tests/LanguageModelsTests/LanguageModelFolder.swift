import Conformer
import Decoding
import Foundation
import LanguageModels
import Tensor
import TestSupport

/// A copy of the fixture `tiny-lm`, which tests may spoil.
struct LanguageModelFolder {
  static let fixture = Places.package + "/Tests/LanguageModelsTests/Fixtures/tiny-lm"
  /// The pieces that the fixture was made for.
  static let pieces = ["<unk>", "▁the", "▁a", "s", "t", "e", "▁of", "ing", "n"]
  static let vocabulary = Vocabulary(pieces: pieces, blank: 9, file: "acoustic/tokens.txt")

  let path = Places.temporaryFolder()
  var config: String { path + "/config.json" }
  var tokens: String { path + "/tokens.txt" }
  var weights: String { path + "/model.safetensors" }

  init() throws {
    for name in ["config.json", "tokens.txt", "model.safetensors"] {
      try FileManager.default.copyItem(atPath: Self.fixture + "/" + name, toPath: path + "/" + name)
    }
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }

  func load() throws -> TransformerLanguageModel {
    try TransformerLanguageModel(directory: path, vocabulary: Self.vocabulary)
  }

  /// Writes the config with the value of `field` replaced, or taken away.
  func setConfig(_ field: String, _ value: Any?) throws {
    let fixture = URL(fileURLWithPath: Self.fixture + "/config.json")
    var object = try JSONSerialization.jsonObject(with: Data(contentsOf: fixture)) as! [String: Any]
    object[field] = value
    try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: config))
  }

  func setTokens(_ pieces: [String]) throws {
    try pieces.map { $0 + "\n" }.joined().write(toFile: tokens, atomically: true, encoding: .utf8)
  }

  func setWeights(_ tensors: [StoredTensor]) throws {
    try SafetensorsWriter.write(tensors, to: weights)
  }

  /// The tensors of the fixture.
  static func tensors() throws -> [StoredTensor] {
    let table = try TensorTable(fixture + "/model.safetensors")
    return try table.names.map { .float32($0, table.shape($0), try table[$0]) }
  }

  /// The network of the fixture, which tells the tokens' probabilities apart.
  static func network() throws -> CausalTransformer {
    try CausalTransformer(
      WeightReader(try SafetensorsFile(path: fixture + "/model.safetensors")),
      LanguageModelConfig.load(fixture + "/config.json"))
  }

  /// Random texts; the later ones share prefixes with the first.
  static func texts(_ count: Int, seed: UInt64) -> [[Int]] {
    var generator = SeededGenerator(seed: seed)
    var texts: [[Int]] = []
    for _ in 0..<count {
      let length = Int.random(in: 0...20, using: &generator)
      let shared = texts.first.map { Int.random(in: 0...min(length, $0.count), using: &generator) }
      let fresh = (shared ?? 0)..<length
      texts.append(
        (texts.first ?? []).prefix(shared ?? 0)
          + fresh.map { _ in Int.random(in: 0..<9, using: &generator) })
    }
    return texts
  }
}
