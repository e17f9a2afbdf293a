import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite struct NeMoImporterTests {
  @Test func writesTheNativeLayout() throws {
    let folder = try imported(SyntheticModel().archive)
    #expect(folder.files == ["README.md", "config.json", "model.safetensors", "tokens.txt"])
    #expect(folder.tokens == "<unk>\n▁a\nb\n")
    #expect(folder.card.contains("see the original model's licence"))
    #expect(folder.card.contains(".nemo`"))
    // The window and num_batches_tracked are dropped.
    #expect(folder.tensors.count == SyntheticModel.allTensors.count - 2)
    #expect(folder.tensors["ctc.weight"]?.shape == [4, 4])
    #expect(folder.tensors["ctc.weight"]?.data == floats((0..<16).map { 0.5 * Float($0) }))
    #expect(folder.tensors["ctc.bias"]?.shape == [4])
    #expect(folder.tensors["encoder.layers.0.self_attn.pos_bias_u"]?.shape == [2, 2])
    #expect(Set(folder.tensors.values.map(\.type)) == ["F32"])
  }

  @Test func writesTheConfiguration() throws {
    let folder = try imported(SyntheticModel().archive)
    let json = try JSONSerialization.jsonObject(with: Data(folder.config.utf8))
    let config = try #require(json as? [String: Any])
    #expect(config["format"] as? String == "starling-1")
    #expect((config["model"] as? String)?.hasPrefix("starling-") == true)
    #expect(config["decoder"] == nil)
    let sections = config.compactMapValues { $0 as? [String: Any] }
    #expect(sections["features"]?["normalize"] as? String == "per_feature")
    #expect(sections["ctc"] as? [String: Int] == ["vocabulary": 4, "blank": 3])
    #expect(
      sections["streaming"] as? [String: Int]
        == ["block_frames": 8, "look_ahead_frames": 8, "left_frames": 64])
    let encoder = try #require(sections["encoder"])
    #expect(encoder["d_feed_forward"] as? Int == 16)
    #expect(encoder["subsampling_channels"] as? Int == 4)
    #expect(encoder["conv_kernel_size"] as? Int == 3)
    #expect(encoder["xscaling"] as? Bool == true)
  }

  @Test func readsCompressedArchives() throws {
    let folder = try imported(try gzipped(SyntheticModel().archive))
    #expect(folder.tokens == "<unk>\n▁a\nb\n")
  }

  @Test func keepsHalfPrecisionAndWidensTheRest() throws {
    var model = SyntheticModel()
    func replace(_ name: String, _ type: TorchType, _ data: Data) throws {
      let index = try #require(model.tensors.firstIndex { $0.name == name })
      model.tensors[index].type = type
      model.tensors[index].data = data
    }
    // 1, -2, 0.5, 0 in each format.
    let halves = [0x3C00, 0xC000, 0x3800, 0].reduce(Data()) { $0 + ZipWriter.little($1, 2) }
    let brains = [0x3F80, 0xC000, 0x3F00, 0].reduce(Data()) { $0 + ZipWriter.little($1, 2) }
    let doubles = [1, -2, 0.5, 0].reduce(Data()) {
      $0 + ZipWriter.little(Int(bitPattern: UInt(($1 as Double).bitPattern)), 8)
    }
    try replace("encoder.layers.0.norm_out.bias", .float16, halves)
    try replace("encoder.layers.0.norm_conv.bias", .bfloat16, brains)
    try replace("encoder.layers.0.norm_self_att.bias", .float64, doubles)
    let tensors = try imported(model.archive).tensors
    #expect(tensors["encoder.layers.0.norm_out.bias"]?.type == "F16")
    #expect(tensors["encoder.layers.0.norm_out.bias"]?.data == halves)
    for name in ["norm_conv", "norm_self_att"] {
      #expect(tensors["encoder.layers.0.\(name).bias"]?.type == "F32")
      #expect(tensors["encoder.layers.0.\(name).bias"]?.data == floats([1, -2, 0.5, 0]))
    }
    try replace("encoder.layers.0.norm_out.bias", .int64, Data(count: 32))
    #expect(
      importMessage(model.archive)
        == "model_weights.ckpt: tensor 'encoder.layers.0.norm_out.bias' is stored as Long, "
        + "expected a floating-point type")
  }

  @Test(arguments: [
    ("per_feature", "per_feature"), ("NA", "none"), ("none", "none"), ("null", "none"),
  ])
  func readsTheNormalization(yaml: String, expected: String) throws {
    var model = SyntheticModel()
    model.preprocessor["normalize"] = yaml
    #expect(try imported(model.archive).config.contains("\"normalize\" : \"\(expected)\""))
  }

  @Test func nestedContextAndExplicitDefaultsAreFine() throws {
    var model = SyntheticModel()
    model.encoder["att_context_size"] = "[[-1, -1]]"
    model.encoder["conv_context_size"] = "[1, 1]"
    model.encoder["subsampling_conv_channels"] = "4"
    model.encoder["att_context_style"] = "regular"
    model.preprocessor["n_window_size"] = "null"
    model.preprocessor["highfreq"] = "8000"
    model.decoder["num_classes"] = "-1"
    #expect(try imported(model.archive).tokens == "<unk>\n▁a\nb\n")
  }

  @Test func refusesAnOutputInUse() throws {
    try withFile(SyntheticModel().archive) { path in
      let folder = temporaryPath("model")
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
      defer { try? FileManager.default.removeItem(atPath: folder) }
      try NeMoImporter.importModel(from: path, to: folder + "/")  // empty: fine
      #expect(throws: CheckpointError.outputExists(directory: folder)) {
        try NeMoImporter.importModel(from: path, to: folder)
      }
      #expect(throws: CheckpointError.outputExists(directory: path)) {
        try NeMoImporter.importModel(from: path, to: path)
      }
      #expect(throws: CheckpointError.self) {
        try NeMoImporter.importModel(from: path, to: folder + "/no/such")
      }
    }
  }

  @Test func refusesIncompleteArchives() {
    let members = SyntheticModel().members
    #expect(
      importMessage(TarWriter.archive([members[1]]))
        == "holds no 'model_config.yaml'; a NeMo archive has one at its top")
    #expect(
      importMessage(TarWriter.archive([members[0]]))
        == "holds no 'model_weights.ckpt'; a NeMo archive has one at its top")
    #expect(
      importMessage(SyntheticModel().archive.prefix(4000))
        == "the archive ends early; fetch the file again")
    #expect(
      importMessage(Data(repeating: 7, count: 4000)) == "not a tar archive, so not a .nemo file")
  }

  @Test func refusesAMaliciousPickle() {
    var members = SyntheticModel().members
    let pickle = PickleWriter.global("posix", "system") + PickleWriter.unicode("true")
    members[1].data = ZipWriter.archive([("archive/data.pkl", pickle + Data([0x85, 0x52, 0x2E]))])
    #expect(
      importMessage(TarWriter.archive(members))
        == "model_weights.ckpt: the pickle calls 'posix.system', which a state dict never does; "
        + "refused")
  }

  @Test func mutationsNeverTrap() throws {
    let archive = [UInt8](SyntheticModel().archive)
    var random = SeededGenerator(seed: 5)
    for _ in 0..<100 { _ = importMessage(Data(mutate(archive, with: &random))) }
    let members = SyntheticModel().members
    let yaml = [UInt8](members[0].data)
    for _ in 0..<100 {
      let mutated = Data(mutate(yaml, with: &random))
      _ = importMessage(TarWriter.archive([(members[0].name, mutated), members[1]]))
    }
  }

  @Test func namesTheTensorThatIsWrong() throws {
    var model = SyntheticModel()
    let index = try #require(model.tensors.firstIndex { $0.name.hasSuffix("linear_q.weight") })
    let name = model.tensors[index].name
    model.tensors[index] = SyntheticTensor(name, [4, 5])
    #expect(
      importMessage(model.archive)
        == "model_weights.ckpt: tensor '\(name)' has shape [4, 5], expected [4, 4] from "
        + "model_config.yaml")
    model.tensors.remove(at: index)
    #expect(
      importMessage(model.archive)
        == "model_weights.ckpt: tensor '\(name)' of shape [4, 4] is missing")
    model = SyntheticModel()
    model.tensors.append(SyntheticTensor("encoder.layers.1.norm_out.bias", [4]))
    #expect(
      importMessage(model.archive)
        == "model_weights.ckpt: 1 tensor that a Conformer-CTC model does not have: "
        + "'encoder.layers.1.norm_out.bias'")
    model.tensors = SyntheticModel.allTensors + [SyntheticTensor("loss.x", [1])]
    #expect(importMessage(model.archive) == nil)
  }
}
