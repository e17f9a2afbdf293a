import Conformer
import Tensor

/// Which tensors a NeMo Conformer-CTC state dict must have, and what they are called here.
struct NeMoTensors {
  struct Mapping: Equatable {
    /// In the state dict.
    var source: String
    var sourceShape: [Int]
    /// In `model.safetensors`.
    var target: String
    var targetShape: [Int]
  }

  /// Mel bins after the two stride-2 convolutions: 80, 40, 20.
  private static func subsampledBins(_ mels: Int) -> Int { ((mels + 1) / 2 + 1) / 2 }

  private(set) var mappings: [Mapping] = []

  init(_ config: ModelConfig) {
    let encoder = config.encoder
    let channels = encoder.subsamplingChannels
    addAffine("encoder.pre_encode.conv.0", [channels, 1, 3, 3])
    addAffine("encoder.pre_encode.conv.2", [channels, channels, 3, 3])
    addAffine(
      "encoder.pre_encode.out",
      [encoder.width, channels * Self.subsampledBins(config.features.mels)])
    for layer in 0..<encoder.layers { addLayer("encoder.layers.\(layer).", encoder) }
    let classes = config.ctc.vocabulary
    mappings.append(
      Mapping(
        source: "decoder.decoder_layers.0.weight", sourceShape: [classes, encoder.width, 1],
        target: "ctc.weight", targetShape: [classes, encoder.width]))
    mappings.append(
      Mapping(
        source: "decoder.decoder_layers.0.bias", sourceShape: [classes],
        target: "ctc.bias", targetShape: [classes]))
  }

  private mutating func addLayer(_ prefix: String, _ encoder: EncoderConfig) {
    let d = encoder.width
    for norm in ["feed_forward1", "self_att", "conv", "feed_forward2", "out"] {
      addAffine(prefix + "norm_" + norm, [d])
    }
    for module in ["feed_forward1", "feed_forward2"] {
      addAffine(prefix + module + ".linear1", [encoder.feedForwardWidth, d])
      addAffine(prefix + module + ".linear2", [d, encoder.feedForwardWidth])
    }
    for linear in ["q", "k", "v", "out"] {
      addAffine(prefix + "self_attn.linear_" + linear, [d, d])
    }
    add(prefix + "self_attn.linear_pos.weight", [d, d])
    for bias in ["u", "v"] {
      add(prefix + "self_attn.pos_bias_" + bias, [encoder.heads, d / encoder.heads])
    }
    addAffine(prefix + "conv.pointwise_conv1", [2 * d, d, 1])
    addAffine(prefix + "conv.depthwise_conv", [d, 1, encoder.convolutionKernel])
    addAffine(prefix + "conv.batch_norm", [d])
    add(prefix + "conv.batch_norm.running_mean", [d])
    add(prefix + "conv.batch_norm.running_var", [d])
    addAffine(prefix + "conv.pointwise_conv2", [d, d, 1])
  }

  /// A weight and a bias as long as the weight's first axis.
  private mutating func addAffine(_ name: String, _ shape: [Int]) {
    add(name + ".weight", shape)
    add(name + ".bias", [shape[0]])
  }

  private mutating func add(_ name: String, _ shape: [Int]) {
    mappings.append(Mapping(source: name, sourceShape: shape, target: name, targetShape: shape))
  }

  /// Tensors of training or of the front end, which Starling computes itself.
  private static func isDispensable(_ name: String) -> Bool {
    name.hasSuffix(".num_batches_tracked") || name == "encoder.pos_enc.pe"
      || ["preprocessor.", "spec_augmentation", "loss"].contains { name.hasPrefix($0) }
  }

  /// The tensors under their new names, in the precision they are stored in.
  func load(_ checkpoint: TorchCheckpoint) throws(CheckpointError) -> [StoredTensor] {
    let file = checkpoint.source
    let known = Set(mappings.map(\.source))
    let unknown = checkpoint.names.filter { !known.contains($0) && !Self.isDispensable($0) }
    var tensors: [StoredTensor] = []
    for mapping in mappings {
      let name = mapping.source
      guard let shape = checkpoint.shape(name) else {
        throw .missingTensor(file: file, tensor: name, expected: mapping.sourceShape)
      }
      guard shape == mapping.sourceShape else {
        throw .wrongShape(
          file: file, tensor: name, found: shape, expected: mapping.sourceShape)
      }
      let tensor = try checkpoint.tensor(name)
      guard let (type, bytes) = tensor.stored() else {
        throw .wrongType(
          file: file, tensor: name, found: tensor.type.rawValue, expected: "a floating-point type")
      }
      tensors.append(
        StoredTensor(name: mapping.target, type: type, shape: mapping.targetShape, bytes: bytes))
    }
    guard unknown.isEmpty else {
      throw .unknownTensors(file: file, tensors: unknown.map(CheckpointError.printable))
    }
    return tensors
  }
}
