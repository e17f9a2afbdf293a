import Checkpoints
import Foundation
import TestSupport

/// The smallest NeMo Conformer-CTC archive that Starling accepts, and ways to spoil it.
struct SyntheticModel {
  static let pieces = ["<unk>", "▁a", "b"]

  /// Lines of the yaml by section; a test replaces or adds some.
  var top = ["sample_rate": "16000"]
  var preprocessor = [
    "_target_": "nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor",
    "features": "80", "window_size": "0.025", "window_stride": "0.01", "normalize": "per_feature",
    "n_fft": "512", "log_zero_guard_value": "5.9605e-08", "dither": "1.0e-05",
  ]
  var encoder = [
    "_target_": "nemo.collections.asr.modules.ConformerEncoder", "n_layers": "1", "d_model": "4",
    "n_heads": "2", "feat_in": "80", "feat_out": "-1", "subsampling": "striding",
    "subsampling_factor": "4", "subsampling_conv_channels": "-1", "ff_expansion_factor": "4",
    "conv_kernel_size": "3", "att_context_size": "[-1, -1]",
  ]
  var decoder = [
    "_target_": "nemo.collections.asr.modules.ConvASRDecoder", "feat_in": "4", "num_classes": "3",
    "vocabulary": "['<unk>', '▁a', 'b']",
  ]
  var extraMembers: [(name: String, data: Data)] = []
  var tensors = Self.allTensors
  /// Replaces the whole yaml.
  var yamlText: String?

  static var allTensors: [SyntheticTensor] {
    var shapes: [(String, [Int])] = [
      ("encoder.pre_encode.conv.0.weight", [4, 1, 3, 3]), ("encoder.pre_encode.conv.0.bias", [4]),
      ("encoder.pre_encode.conv.2.weight", [4, 4, 3, 3]), ("encoder.pre_encode.conv.2.bias", [4]),
      ("encoder.pre_encode.out.weight", [4, 80]), ("encoder.pre_encode.out.bias", [4]),
      ("decoder.decoder_layers.0.weight", [4, 4, 1]), ("decoder.decoder_layers.0.bias", [4]),
    ]
    let layer = "encoder.layers.0."
    for norm in ["feed_forward1", "self_att", "conv", "feed_forward2", "out"] {
      shapes += [(layer + "norm_\(norm).weight", [4]), (layer + "norm_\(norm).bias", [4])]
    }
    for module in ["feed_forward1", "feed_forward2"].map({ layer + $0 }) {
      shapes += [(module + ".linear1.weight", [16, 4]), (module + ".linear1.bias", [16])]
      shapes += [(module + ".linear2.weight", [4, 16]), (module + ".linear2.bias", [4])]
    }
    for linear in ["q", "k", "v", "out"].map({ layer + "self_attn.linear_" + $0 }) {
      shapes += [(linear + ".weight", [4, 4]), (linear + ".bias", [4])]
    }
    shapes += [
      (layer + "self_attn.linear_pos.weight", [4, 4]), (layer + "self_attn.pos_bias_u", [2, 2]),
      (layer + "self_attn.pos_bias_v", [2, 2]), (layer + "conv.pointwise_conv1.weight", [8, 4, 1]),
      (layer + "conv.pointwise_conv1.bias", [8]),
      (layer + "conv.depthwise_conv.weight", [4, 1, 3]),
      (layer + "conv.depthwise_conv.bias", [4]), (layer + "conv.batch_norm.weight", [4]),
      (layer + "conv.batch_norm.bias", [4]), (layer + "conv.batch_norm.running_mean", [4]),
      (layer + "conv.batch_norm.running_var", [4]),
      (layer + "conv.pointwise_conv2.weight", [4, 4, 1]),
      (layer + "conv.pointwise_conv2.bias", [4]), ("preprocessor.featurizer.window", [400]),
    ]
    let tracked = SyntheticTensor(
      layer + "conv.batch_norm.num_batches_tracked", [], type: .int64,
      data: ZipWriter.little(7, 8))
    return shapes.map { SyntheticTensor($0.0, $0.1) } + [tracked]
  }

  var yaml: String {
    func section(_ name: String, _ fields: [String: String]) -> String {
      "\(name):\n" + fields.map { "  \($0.key): \($0.value)\n" }.sorted().joined()
    }
    return yamlText ?? top.map { "\($0.key): \($0.value)\n" }.joined()
      + section("preprocessor", preprocessor) + section("encoder", encoder)
      + section("decoder", decoder)
  }

  var members: [(name: String, data: Data)] {
    [
      ("./model_config.yaml", Data(yaml.utf8)),
      ("./model_weights.ckpt", PickleWriter.checkpoint(tensors)),
    ] + extraMembers
  }

  var archive: Data { TarWriter.archive(members) }
}

/// A model folder read back.
struct ImportedFolder {
  struct Tensor {
    var type: String
    var shape: [Int]
    var data: Data
  }

  var files: [String]
  var config: String
  var tokens: String
  var card: String
  var tensors: [String: Tensor]

  init(_ path: String) throws {
    let folder = URL(fileURLWithPath: path)
    func text(_ name: String) throws -> String {
      try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
    }
    files = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    config = try text("config.json")
    tokens = try text("tokens.txt")
    card = try text("README.md")
    let bytes = try Data(contentsOf: folder.appendingPathComponent("model.safetensors"))
    let headerSize = (0..<8).reversed().reduce(0) { $0 << 8 | Int(bytes[$1]) }
    let json = try JSONSerialization.jsonObject(with: bytes[8..<8 + headerSize])
    tensors = [:]
    for case (let name, let entry as [String: Any]) in json as! [String: Any]
    where name != "__metadata__" {
      let range = entry["data_offsets"] as! [Int]
      let data = bytes.subdata(in: 8 + headerSize + range[0]..<8 + headerSize + range[1])
      tensors[name] = Tensor(
        type: entry["dtype"] as! String, shape: entry["shape"] as! [Int], data: data)
    }
  }
}

/// Imports `archive` into a new folder and returns what was written; nothing stays behind.
func imported(_ archive: Data) throws -> ImportedFolder {
  try withFile(archive) { path in
    let parent = temporaryPath("models")
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: false)
    defer { try? FileManager.default.removeItem(atPath: parent) }
    do {
      try NeMoImporter.importModel(from: path, to: parent + "/model")
    } catch {
      let left = try FileManager.default.contentsOfDirectory(atPath: parent)
      precondition(left.isEmpty, "a failed import left \(left)")
      throw error
    }
    return try ImportedFolder(parent + "/model")
  }
}

/// The message of the import's error, without the archive's path; nil if it succeeds.
func importMessage(_ archive: Data) -> String? {
  do {
    _ = try imported(archive)
    return nil
  } catch {
    let text = "\(error)"
    guard let end = text.range(of: ".nemo: ") else { return text }
    return String(text[end.upperBound...])
  }
}
