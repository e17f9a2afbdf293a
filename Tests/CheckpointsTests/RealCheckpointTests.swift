import Checkpoints
import Foundation
import Testing

/// NVIDIA's stt_en_conformer_ctc_small, which lies beside the checkout and is never committed.
enum RealCheckpoint {
  static let folder = URL(fileURLWithPath: #filePath)
    .appendingPathComponent("../../../../shared/weights/conformer-ctc-small-en").standardized
  static let path = folder.appendingPathComponent("conformer-ctc-small-en.nemo").path
  static let isThere = FileManager.default.fileExists(atPath: path)
  static let comment: Comment = "needs ../shared/weights/conformer-ctc-small-en, which is missing"
}

@Suite(.enabled(if: RealCheckpoint.isThere, RealCheckpoint.comment), .serialized)
struct RealCheckpointTests {
  /// Elements of a half-precision tensor.
  private func halves(_ data: Data) -> [Double] {
    stride(from: 0, to: data.count, by: 2).map { offset in
      let bits = UInt16(data[offset]) | UInt16(data[offset + 1]) << 8
      let exponent = Int(bits >> 10 & 31)
      let fraction = Double(bits & 1023) / 1024
      let size = exponent == 0 ? fraction * 0x1p-14 : (1 + fraction) * pow(2, Double(exponent - 15))
      return bits & 0x8000 == 0 ? size : -size
    }
  }

  @Test func importsWhole() throws {
    let parent = temporaryPath("models")
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: parent) }
    try NeMoImporter.importModel(from: RealCheckpoint.path, to: parent + "/small")
    #expect(try FileManager.default.contentsOfDirectory(atPath: parent) == ["small"])
    let folder = try ImportedFolder(parent + "/small")
    #expect(folder.files == ["README.md", "config.json", "model.safetensors", "tokens.txt"])
    let tokens = try String(
      contentsOf: RealCheckpoint.folder.appendingPathComponent("tokens.txt"), encoding: .utf8)
    #expect(folder.tokens == tokens)
    #expect(folder.config.contains("\"model\" : \"conformer-ctc-small-en\""))

    #expect(folder.tensors.count == 632)
    #expect(Set(folder.tensors.values.map(\.type)) == ["F16"])
    // Values and float64 sums that numpy reads from the same file.
    let expected: [(String, [Int], [Double], Double)] = [
      (
        "encoder.pre_encode.conv.0.weight", [176, 1, 3, 3],
        [-0.044342041015625, -0.34326171875, -0.418701171875], -1.9175179600715637
      ),
      (
        "encoder.layers.7.self_attn.pos_bias_u", [4, 44],
        [-0.0012292861938476562, 0.06622314453125, 0.10662841796875], 1.7331773042678833
      ),
      (
        "encoder.layers.15.conv.batch_norm.running_var", [176], [86.25, 3.40234375, 62.6875],
        17645.76123046875
      ),
      (
        "ctc.weight", [1025, 176], [-0.254638671875, -0.392822265625, 0.59228515625],
        16230.45001655817
      ),
      ("ctc.bias", [1025], [-3.287109375, 0.46728515625, 0.496337890625], -394.85534381866455),
    ]
    for (name, shape, first, sum) in expected {
      let tensor = try #require(folder.tensors[name])
      #expect(tensor.shape == shape)
      let values = halves(tensor.data)
      #expect(Array(values.prefix(3)) == first, "\(name)")
      #expect(abs(values.reduce(0, +) - sum) < 1e-8, "\(name)")
    }
    #expect(folder.tensors["encoder.pre_encode.out.weight"]?.shape == [176, 3520])
  }

  @Test func refusesHalfAFile() throws {
    let data = try Data(contentsOf: URL(fileURLWithPath: RealCheckpoint.path))
    #expect(
      importMessage(data.prefix(data.count / 2))
        == "the archive ends early; fetch the file again")
  }
}
