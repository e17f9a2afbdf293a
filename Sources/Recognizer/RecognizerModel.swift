public import Audio
public import Conformer
public import Decoding
import Tensor

/// A model ready to recognise: networks, front end and vocabulary. Immutable and shared by any
/// number of streams on any threads.
public final class RecognizerModel: Sendable {
  /// Samples per second that streams take.
  public var sampleRate: Int { config.features.sampleRate }
  /// Name in the model's config.
  public var name: String { config.model }
  /// Layers of the encoder.
  public var layerCount: Int { config.encoder.layers }
  /// How much the attention decoder counts in the final passes, tuned for this model.
  public var decodingWeights: DecodingConfig { config.decoding ?? DecodingConfig() }
  /// Seconds per encoder frame.
  public let frameSeconds: Double

  let config: ModelConfig
  let networks: ConformerModel
  let frontEnd: LogMelFrontEnd
  let normalizer: FeatureNormalizer
  public let vocabulary: Vocabulary
  let wordAssembler: WordAssembler

  /// Loads a model folder: `config.json`, `model.safetensors`, `tokens.txt`.
  ///
  /// - Throws: `ModelError`, `WeightError` or `VocabularyError`, each naming file and field.
  public init(directory: String) throws {
    networks = try ConformerModel(directory: directory)
    config = networks.config
    vocabulary = try Vocabulary(
      contentsOf: directory + "/tokens.txt", classes: config.ctc.vocabulary,
      blank: config.ctc.blank)
    frontEnd = LogMelFrontEnd(
      config.features.type == .nemoLogMel ? .nemo : .kaldi, mels: config.features.mels,
      sampleRate: config.features.sampleRate)
    normalizer =
      switch config.features.normalize {
      case .none: .none
      case .perFeature: .perFeature
      case .globalCMVN:
        .global(
          mean: networks.cmvn!.mean, inverseDeviation: networks.cmvn!.inverseDeviation)
      }
    frameSeconds = 0.01 * Double(config.encoder.subsamplingFactor)
    let confidence = config.decoding?.confidence
    wordAssembler = WordAssembler(
      vocabulary: vocabulary, frameSeconds: frameSeconds,
      calibration: ConfidenceCalibration(
        scale: confidence?.scale ?? 1, offset: confidence?.offset ?? 0))
    Heap.trim()  // of what loading has taken and freed
  }

  /// - Throws: `FinalPassError` if the model lacks what `options` ask for.
  public func check(_ options: DecodingOptions) throws(FinalPassError) {
    guard options.finalPass == .none || networks.decoder != nil else {
      throw .noDecoder(model: name, finalPass: options.finalPass)
    }
    let heads = config.decoder?.auxiliaryHeads?.count ?? 0
    if let weights = options.weights?.auxiliaryWeights,
      !DecoderRun.accepts(auxiliaryWeights: weights, heads: heads)
    {
      throw .auxiliaryWeights(model: name, found: weights, heads: heads)
    }
  }

  /// How the left decoder is run: with the weights of its auxiliary heads, which cost nothing where
  /// they are 0.
  func decoderRun(auxiliaryWeights weights: [Float]?) -> DecoderRun {
    var run = DecoderRun()
    if let weights, weights.contains(where: { $0 > 0 }) { run.auxiliaryWeights = weights }
    return run
  }

  /// A stream before its first sample. Its final pass does nothing if the model has no attention
  /// decoder; `check` tells, and must have passed where auxiliary weights are asked for.
  ///
  /// - Parameter workspace: memory for intermediate results; streams that run on one thread may
  ///   share it.
  public func makeStream(
    _ options: RecognizerOptions = RecognizerOptions(), workspace: Workspace = Workspace()
  ) -> RecognizerStream {
    RecognizerStream(model: self, options: options, workspace: workspace)
  }
}

/// What a user may choose per stream.
public struct RecognizerOptions: Sendable {
  /// nil for the model's own default.
  public var latency: Latency?
  /// nil for the model's own default.
  public var leftContext: LeftContext?
  public var endpointRules: EndpointRules
  /// Judges where there is speech, for the end of utterances; nil to judge by the CTC blank.
  public var voiceActivityDetector: SileroVAD?
  public var decoding: DecodingOptions
  /// Whether to report results of utterances that still go on.
  public var wantsPartials: Bool
  /// Whether partial results leave out what the look-ahead frames only suggest, so that no shown
  /// text is taken back before the utterance ends.
  public var isStable: Bool

  public init(
    latency: Latency? = nil, leftContext: LeftContext? = nil,
    endpointRules: EndpointRules = EndpointRules(),
    voiceActivityDetector: SileroVAD? = nil,
    decoding: DecodingOptions = DecodingOptions(), wantsPartials: Bool = true,
    isStable: Bool = false
  ) {
    self.latency = latency
    self.leftContext = leftContext
    self.endpointRules = endpointRules
    self.voiceActivityDetector = voiceActivityDetector
    self.decoding = decoding
    self.wantsPartials = wantsPartials
    self.isStable = isStable
  }
}
