import Conformer

extension NeMoConfig {
  /// The native configuration, if Starling computes exactly what this model was trained for.
  ///
  /// - Parameters:
  ///   - pieces: length of the vocabulary, for a decoder that leaves it open.
  ///   - file: what error messages call the yaml.
  func modelConfig(model: String, pieces: Int, file: String) throws(CheckpointError) -> ModelConfig
  {
    let check = FieldCheck(file: file)
    try checkFrontEnd(check)
    try checkEncoder(check)
    try check.suffix(
      "decoder._target_", decoder.target ?? "absent", ".ConvASRDecoder", "a CTC ConvASRDecoder")
    try check.equal("decoder.feat_in", decoder.inputFeatures ?? encoder.width, encoder.width)
    try check.range("the vocabulary's length", pieces, 1...1_000_000)
    return ModelConfig(
      model: model,
      features: FeatureConfig(normalize: try normalization(check)),
      encoder: EncoderConfig(
        layers: encoder.layers, width: encoder.width, heads: encoder.heads ?? 4,
        feedForwardWidth: encoder.width * (encoder.feedForwardExpansion ?? 4),
        convolutionKernel: encoder.convolutionKernel ?? 31,
        subsamplingChannels: subsamplingChannels, scalesInput: encoder.scalesInput ?? true),
      ctc: CTCConfig(vocabulary: pieces + 1, blank: pieces),
      streaming: StreamingConfig())
  }

  /// -1 means "as wide as the model".
  private var subsamplingChannels: Int {
    let channels = encoder.subsamplingChannels ?? -1
    return channels == -1 ? encoder.width : channels
  }

  private func normalization(
    _ check: FieldCheck
  ) throws(CheckpointError) -> FeatureConfig.Normalization {
    switch preprocessor.normalize {
    case "per_feature": .perFeature
    case "NA", "none", "None", "": .none
    default:
      throw check.mismatch(
        "preprocessor.normalize", "'\(CheckpointError.printable(preprocessor.normalize))'",
        "'per_feature', 'NA' or null")
    }
  }

  private func checkFrontEnd(_ check: FieldCheck) throws(CheckpointError) {
    let fields = preprocessor.fields
    try check.equal("sample_rate", sampleRate ?? 16_000, 16_000)
    try check.suffix(
      "preprocessor._target_", fields.target ?? "absent", ".AudioToMelSpectrogramPreprocessor",
      "AudioToMelSpectrogramPreprocessor")
    try check.equal("preprocessor.sample_rate", fields.sampleRate ?? 16_000, 16_000)
    try check.equal("preprocessor.features", fields.features ?? 64, 80)
    if let samples = fields.windowSamples {
      try check.equal("preprocessor.n_window_size", samples, 400)
    } else {
      try check.equal("preprocessor.window_size", fields.windowSize ?? 0.02, 0.025)
    }
    if let samples = fields.strideSamples {
      try check.equal("preprocessor.n_window_stride", samples, 160)
    } else {
      try check.equal("preprocessor.window_stride", fields.windowStride ?? 0.01, 0.01)
    }
    try check.equal("preprocessor.window", fields.window ?? "hann", "hann")
    try check.equal("preprocessor.n_fft", fields.fftSize ?? 512, 512)
    try check.equal("preprocessor.frame_splicing", fields.frameSplicing ?? 1, 1)
    try check.equal("preprocessor.preemph", fields.preemphasis ?? 0.97, 0.97)
    try check.equal("preprocessor.lowfreq", fields.lowFrequency ?? 0, 0)
    try check.equal("preprocessor.highfreq", fields.highFrequency ?? 8000, 8000)
    try check.equal("preprocessor.log", fields.log ?? true, true)
    try check.equal("preprocessor.log_zero_guard_type", fields.guardType ?? "add", "add")
    // 2^-24; yaml files carry it with more or fewer digits.
    let floor = fields.guardValue ?? 0x1p-24
    if abs(floor - 0x1p-24) > 1e-10 {
      throw check.mismatch("preprocessor.log_zero_guard_value", "\(floor)", "\(0x1p-24)")
    }
    try check.equal("preprocessor.mag_power", fields.magnitudePower ?? 2, 2)
    try check.equal("preprocessor.mel_norm", fields.melNorm ?? "slaney", "slaney")
    try check.equal("preprocessor.exact_pad", fields.exactPad ?? false, false)
  }

  private func checkEncoder(_ check: FieldCheck) throws(CheckpointError) {
    try check.suffix(
      "encoder._target_", encoder.target ?? "absent", ".ConformerEncoder", "ConformerEncoder")
    try check.equal("encoder.feat_in", encoder.inputFeatures ?? 80, 80)
    try check.equal("encoder.subsampling", encoder.subsampling ?? "striding", "striding")
    try check.equal("encoder.subsampling_factor", encoder.subsamplingFactor ?? 4, 4)
    try check.equal("encoder.causal_downsampling", encoder.causalDownsampling ?? false, false)
    if let reduction = encoder.reduction {
      throw check.mismatch("encoder.reduction", "'\(CheckpointError.printable(reduction))'", "null")
    }
    try check.equal("encoder.self_attention_model", encoder.attention ?? "rel_pos", "rel_pos")
    let context = encoder.attentionContext ?? .flat([-1, -1])
    if context != .flat([-1, -1]), context != .nested([[-1, -1]]) {
      throw check.mismatch(
        "encoder.att_context_size", context.description, "full context, [-1, -1]")
    }
    try check.equal("encoder.att_context_style", encoder.attentionStyle ?? "regular", "regular")
    try check.equal("encoder.untie_biases", encoder.untieBiases ?? true, true)
    try check.equal("encoder.use_bias", encoder.usesBias ?? true, true)
    try check.equal("encoder.conv_norm_type", encoder.convolutionNorm ?? "batch_norm", "batch_norm")
    try checkSizes(check)
  }

  /// Bounds every size, so that shapes computed from them cannot overflow.
  private func checkSizes(_ check: FieldCheck) throws(CheckpointError) {
    let width = encoder.width
    let heads = encoder.heads ?? 4
    let kernel = encoder.convolutionKernel ?? 31
    try check.range("encoder.n_layers", encoder.layers, 1...512)
    try check.range("encoder.d_model", width, 2...16_384)
    try check.range("encoder.n_heads", heads, 1...width)
    if width % heads != 0 || width % 2 != 0 {
      throw check.mismatch("encoder.d_model", "\(width)", "even multiples of n_heads, \(heads)")
    }
    let output = encoder.outputFeatures ?? -1
    try check.equal("encoder.feat_out", output > 0 ? output : width, width)
    try check.range("encoder.ff_expansion_factor", encoder.feedForwardExpansion ?? 4, 1...64)
    try check.range("encoder.subsampling_conv_channels", subsamplingChannels, 1...16_384)
    try check.range("encoder.conv_kernel_size", kernel, 1...1023)
    if kernel % 2 == 0 {
      throw check.mismatch("encoder.conv_kernel_size", "\(kernel)", "odd sizes")
    }
    let symmetric = [(kernel - 1) / 2, (kernel - 1) / 2]
    let context = encoder.convolutionContext ?? .flat(symmetric)
    if context != .flat(symmetric) {
      throw check.mismatch("encoder.conv_context_size", context.description, "\(symmetric) or null")
    }
  }
}

/// Compares one field after another with what Starling supports.
private struct FieldCheck {
  let file: String

  func mismatch(_ field: String, _ found: String, _ supported: String) -> CheckpointError {
    .unsupported(file: file, field: field, found: found, supported: supported)
  }

  func equal<Value: Equatable>(
    _ field: String, _ found: Value, _ supported: Value
  ) throws(CheckpointError) {
    guard found == supported else { throw mismatch(field, shown(found), shown(supported)) }
  }

  func range(
    _ field: String, _ found: Int, _ supported: ClosedRange<Int>
  ) throws(CheckpointError) {
    guard supported.contains(found) else {
      throw mismatch(field, "\(found)", "\(supported.lowerBound) to \(supported.upperBound)")
    }
  }

  /// For Python class paths, whose module moved between NeMo versions.
  func suffix(
    _ field: String, _ found: String, _ suffix: String, _ supported: String
  ) throws(CheckpointError) {
    guard found.hasSuffix(suffix) else { throw mismatch(field, shown(found), supported) }
  }

  private func shown<Value>(_ value: Value) -> String {
    if let text = value as? String { "'\(CheckpointError.printable(text))'" } else { "\(value)" }
  }
}
