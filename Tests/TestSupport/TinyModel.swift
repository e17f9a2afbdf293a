import Conformer
import Foundation
import Tensor

/// A random model folder of a few thousand weights, for tests of arithmetic rather than of speech.
public struct TinyModel {
  public let directory: String
  public let config: ModelConfig

  /// Writes the folder, which the caller removes.
  public init(
    seed: UInt64, kernel: Int = 7, edgeTaps: Int? = nil, mels: Int = 16, channels: Int = 6,
    frontEnd: FeatureConfig.FrontEnd = .nemoLogMel, scalesInput: Bool = true,
    streaming: StreamingConfig = StreamingConfig(), decoder: DecoderConfig? = nil,
    decoding: DecodingConfig? = nil
  ) throws {
    config = ModelConfig(
      model: "tiny",
      features: FeatureConfig(type: frontEnd, mels: mels, normalize: .none),
      encoder: EncoderConfig(
        layers: 3, width: 16, heads: 2, feedForwardWidth: 32, convolutionKernel: kernel,
        subsamplingChannels: channels, scalesInput: scalesInput, edgeTaps: edgeTaps),
      ctc: CTCConfig(vocabulary: 12, blank: 11), decoder: decoder, streaming: streaming,
      decoding: decoding)
    directory = Places.temporaryFolder()
    try JSONEncoder().encode(config).write(
      to: URL(fileURLWithPath: directory + "/config.json"))
    let pieces = ["▁the", "▁a", "s", "t", "e", "▁of", "ing", "n", "▁", "o", "▁i"]
    try pieces.joined(separator: "\n").appending("\n").write(
      toFile: directory + "/tokens.txt", atomically: true, encoding: .utf8)
    try SafetensorsWriter.write(
      Self.tensors(config, seed: seed), to: directory + "/model.safetensors")
  }

  public func remove() { try? FileManager.default.removeItem(atPath: directory) }

  /// Every tensor that `config` calls for, random.
  public static func tensors(_ config: ModelConfig, seed: UInt64) -> [StoredTensor] {
    var generator = SeededGenerator(seed: seed)
    var tensors: [StoredTensor] = []
    func add(_ name: String, _ shape: [Int], _ value: (inout SeededGenerator) -> Float) {
      let values = (0..<shape.reduce(1, *)).map { _ in value(&generator) }
      tensors.append(.float32(name, shape, values))
    }
    func linear(_ name: String, _ shape: [Int], gain: Float = 1, bias: Bool = true) {
      let fanIn = Float(shape.dropFirst().reduce(1, *))
      add(name + ".weight", shape) { $0.normal(gain / fanIn.squareRoot()) }
      if bias { add(name + ".bias", [shape[0]]) { $0.normal(0.2) } }
    }
    func norm(_ name: String, _ width: Int) {
      add(name + ".weight", [width]) { 1 + $0.normal(0.2) }
      add(name + ".bias", [width]) { $0.normal(0.2) }
    }
    let (e, d) = (config.encoder, config.encoder.width)
    let (c, inner) = (e.subsamplingChannels, e.feedForwardWidth)
    let bins = ((config.features.mels + 1) / 2 + 1) / 2
    linear("encoder.pre_encode.conv.0", [c, 1, 3, 3])
    linear("encoder.pre_encode.conv.2", [c, c, 3, 3])
    linear("encoder.pre_encode.out", [d, c * bins])
    for index in 0..<e.layers {
      let layer = "encoder.layers.\(index)."
      for name in [
        "norm_feed_forward1", "norm_self_att", "norm_conv", "norm_feed_forward2", "norm_out",
      ] { norm(layer + name, d) }
      for name in ["feed_forward1", "feed_forward2"] {
        linear(layer + name + ".linear1", [inner, d])
        linear(layer + name + ".linear2", [d, inner])
      }
      let attention = layer + "self_attn."
      for name in ["linear_q", "linear_k"] { linear(attention + name, [d, d], gain: 1.5) }
      for name in ["linear_v", "linear_out"] { linear(attention + name, [d, d]) }
      linear(attention + "linear_pos", [d, d], gain: 1.5, bias: false)
      for name in ["pos_bias_u", "pos_bias_v"] {
        add(attention + name, [e.heads, d / e.heads]) { $0.normal(0.5) }
      }
      let conv = layer + "conv."
      linear(conv + "pointwise_conv1", [2 * d, d, 1])
      linear(conv + "depthwise_conv", [d, 1, e.convolutionKernel], gain: 2)
      linear(conv + "pointwise_conv2", [d, d, 1])
      norm(conv + "batch_norm", d)
      add(conv + "batch_norm.running_mean", [d]) { $0.normal(0.3) }
      add(conv + "batch_norm.running_var", [d]) { Float.random(in: 0.3..<2, using: &$0) }
    }
    linear("ctc", [config.ctc.vocabulary, d], gain: 2)
    for (name, shape) in config.decoder?.tensorShapes ?? [] {
      let isNorm = name.contains("norm") && name.hasSuffix("weight")
      let deviation: Float = shape.count == 1 ? 0.2 : 0.35
      add(name, shape) { (isNorm ? 1 : 0) + $0.normal(deviation) }
    }
    // Last, so that models of one seed differ by nothing else.
    if let taps = e.edgeTaps, taps > 0 {
      for index in 0..<e.layers {
        let shape = [e.convolutionKernel / 2, taps, d]
        add("encoder.layers.\(index).conv.edge_kernels", shape) { $0.normal(0.5) }
      }
    }
    return tensors
  }
}

extension StoredTensor {
  public static func float32(_ name: String, _ shape: [Int], _ values: [Float]) -> StoredTensor {
    StoredTensor(
      name: name, type: .float32, shape: shape, bytes: values.withUnsafeBytes { Data($0) })
  }

  public static func float16(_ name: String, _ shape: [Int], _ values: [Float16]) -> StoredTensor {
    StoredTensor(
      name: name, type: .float16, shape: shape, bytes: values.withUnsafeBytes { Data($0) })
  }
  public static func int8(_ name: String, _ shape: [Int], _ values: [Int8]) -> StoredTensor {
    StoredTensor(
      name: name, type: .int8, shape: shape, bytes: values.withUnsafeBytes { Data($0) })
  }
}
