/// What is wrong with a model folder, said to the person who supplied it.
public enum ModelError: Error, Equatable, CustomStringConvertible {
  case unreadable(file: String, reason: String)
  case notJSON(file: String, reason: String)
  case field(file: String, name: String, expected: String, found: String)
  case tokens(file: String, reason: String)

  public var description: String {
    switch self {
    case .unreadable(let file, let reason):
      "\(file): cannot be read: \(reason); a model folder holds config.json, model.safetensors "
        + "and tokens.txt"
    case .notJSON(let file, let reason):
      "\(file): not a model description: \(reason)"
    case .field(let file, let name, let expected, let found):
      "\(file): '\(name)' is \(found), expected \(expected)"
    case .tokens(let file, let reason):
      "\(file): \(reason)"
    }
  }
}

extension ModelConfig {
  /// Reads and checks a `config.json`.
  public static func load(_ path: String) throws(ModelError) -> ModelConfig {
    let config = try ConfigFile.load(ModelConfig.self, path, format: currentFormat)
    try config.validate(path)
    return config
  }

  private func validate(_ file: String) throws(ModelError) {
    func require(
      _ holds: Bool, _ name: String, _ expected: String, _ found: Any
    ) throws(ModelError) {
      guard holds else {
        throw .field(file: file, name: name, expected: expected, found: "\(found)")
      }
    }
    try require(
      features.sampleRate == 16_000, "features.sample_rate", "16000", features.sampleRate)
    try require((8...256).contains(features.mels), "features.n_mels", "8 to 256", features.mels)
    let e = encoder
    try require((1...256).contains(e.layers), "encoder.n_layers", "1 to 256", e.layers)
    try require((2...8192).contains(e.width), "encoder.d_model", "2 to 8192", e.width)
    try require(
      e.heads > 0 && e.width % e.heads == 0, "encoder.n_heads",
      "a divisor of d_model (\(e.width))", e.heads)
    try require(
      (1...65_536).contains(e.feedForwardWidth), "encoder.d_feed_forward", "1 to 65536",
      e.feedForwardWidth)
    try require(
      e.convolutionKernel % 2 == 1 && (1...255).contains(e.convolutionKernel),
      "encoder.conv_kernel_size", "an odd number from 1 to 255", e.convolutionKernel)
    // More taps would reach beyond the rows that a cache keeps.
    let mostEdgeTaps = min(64, e.convolutionKernel / 2 + 1)
    try require(
      (0...mostEdgeTaps).contains(e.edgeTaps ?? 0), "encoder.edge_taps",
      "0 to \(mostEdgeTaps) (conv_kernel_size is \(e.convolutionKernel))", e.edgeTaps ?? 0)
    try require(
      (1...8192).contains(e.subsamplingChannels), "encoder.subsampling_channels", "1 to 8192",
      e.subsamplingChannels)
    try require(
      e.subsamplingFactor == 4, "encoder.subsampling_factor", "4", e.subsamplingFactor)
    try require(
      (2...1_000_000).contains(ctc.vocabulary), "ctc.vocabulary", "2 to 1000000", ctc.vocabulary)
    try require(
      (0..<ctc.vocabulary).contains(ctc.blank), "ctc.blank", "a class below ctc.vocabulary",
      ctc.blank)
    try require(
      (1...10_000).contains(streaming.blockFrames), "streaming.block_frames", "1 to 10000",
      streaming.blockFrames)
    try require(
      (0...10_000).contains(streaming.lookAheadFrames), "streaming.look_ahead_frames",
      "0 to 10000", streaming.lookAheadFrames)
    try require(
      (0...100_000).contains(streaming.leftFrames), "streaming.left_frames", "0 to 100000",
      streaming.leftFrames)
    if let weights = decoding {
      try require(
        weights.attentionWeight >= 0, "decoding.attention_weight", "at least 0",
        weights.attentionWeight)
      try require(
        (0...1).contains(weights.reverseWeight), "decoding.reverse_weight", "0 to 1",
        weights.reverseWeight)
      try require(
        (0...1).contains(weights.jointCTCWeight), "decoding.joint_ctc_weight", "0 to 1",
        weights.jointCTCWeight)
      if let confidence = weights.confidence {
        try require(
          confidence.scale > 0 && confidence.scale.isFinite, "decoding.confidence.scale",
          "more than 0", confidence.scale)
      }
      let heads = decoder?.auxiliaryHeads?.count ?? 0
      try require(
        weights.auxiliaryWeights.map { DecoderRun.accepts(auxiliaryWeights: $0, heads: heads) }
          ?? true,
        "decoding.auxiliary_weights",
        "a number of at least 0 for each of the \(heads) decoder.auxiliary_heads, at most 1 together",
        weights.auxiliaryWeights ?? [])
    }
    guard let d = decoder else { return }
    try require(
      d.width == e.width, "decoder.d_model", "encoder.d_model (\(e.width))", d.width)
    try require(
      d.heads > 0 && d.width % d.heads == 0, "decoder.n_heads",
      "a divisor of d_model (\(d.width))", d.heads)
    try require((1...256).contains(d.leftLayers), "decoder.left_layers", "1 to 256", d.leftLayers)
    try require(
      (0...256).contains(d.rightLayers), "decoder.right_layers", "0 to 256", d.rightLayers)
    try require(
      (1...65_536).contains(d.feedForwardWidth), "decoder.d_feed_forward", "1 to 65536",
      d.feedForwardWidth)
    try require(
      d.vocabulary == ctc.vocabulary, "decoder.vocabulary",
      "ctc.vocabulary (\(ctc.vocabulary))", d.vocabulary)
    try require(
      (0..<d.vocabulary).contains(d.startEnd), "decoder.sos_eos",
      "a class below decoder.vocabulary", d.startEnd)
    let auxiliary = d.auxiliaryHeads ?? []
    try require(
      auxiliary.allSatisfy { (0..<d.leftLayers).contains($0) }
        && Set(auxiliary).count == auxiliary.count, "decoder.auxiliary_heads",
      "different layers below decoder.left_layers", auxiliary)
    try require(
      (1...1024).contains(d.positionWidth ?? 1), "decoder.position_width", "1 to 1024",
      d.positionWidth ?? 0)
  }
}
