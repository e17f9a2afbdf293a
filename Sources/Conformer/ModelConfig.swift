/// The architecture and front end of a model: the content of `config.json` in a model folder.
///
/// docs/model-format.md describes every field. Read once, validated once (`ModelConfig.load`),
/// never changed afterwards.
public struct ModelConfig: Codable, Equatable, Sendable {
  /// The only layout this version reads and writes.
  public static let currentFormat = "starling-1"

  /// Layout of the folder; `ModelConfig.currentFormat`.
  public var format: String
  /// Name that people see.
  public var model: String
  public var features: FeatureConfig
  public var encoder: EncoderConfig
  public var ctc: CTCConfig
  /// The attention decoder; nil for CTC-only models.
  public var decoder: DecoderConfig?
  public var streaming: StreamingConfig
  /// Weights of the final passes, tuned for this model; nil for `DecodingConfig()`.
  public var decoding: DecodingConfig?

  public init(
    format: String = ModelConfig.currentFormat, model: String, features: FeatureConfig,
    encoder: EncoderConfig, ctc: CTCConfig, decoder: DecoderConfig? = nil,
    streaming: StreamingConfig, decoding: DecodingConfig? = nil
  ) {
    self.format = format
    self.model = model
    self.features = features
    self.encoder = encoder
    self.ctc = ctc
    self.decoder = decoder
    self.streaming = streaming
    self.decoding = decoding
  }
}

/// The log-mel front end.
public struct FeatureConfig: Codable, Equatable, Sendable {
  public enum FrontEnd: String, Codable, Sendable {
    /// NeMo: whole-signal pre-emphasis, centred frames, Slaney mel scale.
    case nemoLogMel = "nemo_log_mel"
    /// Kaldi: per-frame DC removal and pre-emphasis, Povey window, HTK mel scale.
    case kaldiFilterbank = "kaldi_fbank"
  }

  public enum Normalization: String, Codable, Sendable {
    case none
    /// `(x - mean) * istd` with the model's tensors `cmvn.mean`, `cmvn.istd`, each `[n_mels]`.
    case globalCMVN = "global_cmvn"
    /// Mean and unbiased standard deviation of the utterance itself, per mel bin.
    case perFeature = "per_feature"
  }

  public var type: FrontEnd
  /// Hz.
  public var sampleRate: Int
  public var mels: Int
  public var normalize: Normalization

  public init(
    type: FrontEnd = .nemoLogMel, sampleRate: Int = 16_000, mels: Int = 80,
    normalize: Normalization
  ) {
    self.type = type
    self.sampleRate = sampleRate
    self.mels = mels
    self.normalize = normalize
  }

  enum CodingKeys: String, CodingKey {
    case type
    case sampleRate = "sample_rate"
    case mels = "n_mels"
    case normalize
  }
}

/// A Conformer encoder with 4× striding subsampling and relative-position attention.
public struct EncoderConfig: Codable, Equatable, Sendable {
  public var layers: Int
  /// Model width d.
  public var width: Int
  public var heads: Int
  /// Inner width of the feed-forward modules.
  public var feedForwardWidth: Int
  /// Taps of the depthwise convolution; odd, because it is symmetric.
  public var convolutionKernel: Int
  /// Channels of the two subsampling convolutions.
  public var subsamplingChannels: Int
  /// Mel frames per encoder frame; 4.
  public var subsamplingFactor: Int
  /// Whether subsampled frames are multiplied by √width.
  public var scalesInput: Bool
  /// Taps K of the convolutions' edge kernels; nil or 0 for none.
  public var edgeTaps: Int?

  public init(
    layers: Int, width: Int, heads: Int, feedForwardWidth: Int, convolutionKernel: Int,
    subsamplingChannels: Int, subsamplingFactor: Int = 4, scalesInput: Bool, edgeTaps: Int? = nil
  ) {
    self.layers = layers
    self.width = width
    self.heads = heads
    self.feedForwardWidth = feedForwardWidth
    self.convolutionKernel = convolutionKernel
    self.subsamplingChannels = subsamplingChannels
    self.subsamplingFactor = subsamplingFactor
    self.scalesInput = scalesInput
    self.edgeTaps = edgeTaps
  }

  enum CodingKeys: String, CodingKey {
    case layers = "n_layers"
    case width = "d_model"
    case heads = "n_heads"
    case feedForwardWidth = "d_feed_forward"
    case convolutionKernel = "conv_kernel_size"
    case subsamplingChannels = "subsampling_channels"
    case subsamplingFactor = "subsampling_factor"
    case scalesInput = "xscaling"
    case edgeTaps = "edge_taps"
  }
}

/// The CTC head: one linear layer over the encoder's frames.
public struct CTCConfig: Codable, Equatable, Sendable {
  /// Classes, blank included.
  public var vocabulary: Int
  /// Class of the blank. `tokens.txt` lists the other classes in order.
  public var blank: Int

  public init(vocabulary: Int, blank: Int) {
    self.vocabulary = vocabulary
    self.blank = blank
  }
}

/// A bidirectional Transformer decoder: pre-norm, ReLU, sinusoidal absolute positions from 0,
/// embeddings scaled by √width. The right decoder reads the tokens in reverse.
public struct DecoderConfig: Codable, Equatable, Sendable {
  public var width: Int
  public var heads: Int
  public var feedForwardWidth: Int
  public var leftLayers: Int
  /// 0 for a model without a right-to-left decoder.
  public var rightLayers: Int
  public var vocabulary: Int
  /// The class that starts and ends every sequence.
  public var startEnd: Int
  /// Layers of the left decoder after which an auxiliary output head listens; nil for none.
  public var auxiliaryHeads: [Int]?
  /// Width of the sinusoids of each frame's place in its utterance, which cross-attention reads
  /// after the encoder's output; nil for none.
  public var positionWidth: Int?

  public init(
    width: Int, heads: Int, feedForwardWidth: Int, leftLayers: Int, rightLayers: Int,
    vocabulary: Int, startEnd: Int, auxiliaryHeads: [Int]? = nil, positionWidth: Int? = nil
  ) {
    self.width = width
    self.heads = heads
    self.feedForwardWidth = feedForwardWidth
    self.leftLayers = leftLayers
    self.rightLayers = rightLayers
    self.vocabulary = vocabulary
    self.startEnd = startEnd
    self.auxiliaryHeads = auxiliaryHeads
    self.positionWidth = positionWidth
  }

  enum CodingKeys: String, CodingKey {
    case width = "d_model"
    case heads = "n_heads"
    case feedForwardWidth = "d_feed_forward"
    case leftLayers = "left_layers"
    case rightLayers = "right_layers"
    case vocabulary
    case startEnd = "sos_eos"
    case auxiliaryHeads = "auxiliary_heads"
    case positionWidth = "position_width"
  }
}

/// What a stream uses when its user names nothing else.
public struct StreamingConfig: Codable, Equatable, Sendable {
  /// New encoder frames per block, C.
  public var blockFrames: Int
  /// Look-ahead encoder frames per block, R.
  public var lookAheadFrames: Int
  /// Left context of the attention in encoder frames, L.
  public var leftFrames: Int

  public init(blockFrames: Int = 8, lookAheadFrames: Int = 8, leftFrames: Int = 64) {
    self.blockFrames = blockFrames
    self.lookAheadFrames = lookAheadFrames
    self.leftFrames = leftFrames
  }

  enum CodingKeys: String, CodingKey {
    case blockFrames = "block_frames"
    case lookAheadFrames = "look_ahead_frames"
    case leftFrames = "left_frames"
  }
}

/// How much the attention decoder counts in the final passes, and what confidences mean.
public struct DecodingConfig: Codable, Equatable, Sendable {
  /// Weight of the attention decoder in rescoring, CTC having weight 1.
  public var attentionWeight: Double
  /// Share of the right-to-left decoder in the attention score, 0…1.
  public var reverseWeight: Double
  /// Nats for each token in rescoring; nil for none.
  public var lengthBonus: Double?
  /// Weight of CTC in the joint search, 0…1; the decoder has the rest.
  public var jointCTCWeight: Double
  /// Nats for each token of the joint search.
  public var jointLengthBonus: Double
  /// Weights of the left decoder's auxiliary heads in what it says, one for each of
  /// `DecoderConfig.auxiliaryHeads`, as `DecoderRun` mixes them; nil for the final head alone.
  public var auxiliaryWeights: [Float]?
  /// Makes probabilities of words the confidences that people see; nil to leave them.
  public var confidence: ConfidenceConfig?

  public init(
    attentionWeight: Double = 0.25, reverseWeight: Double = 0.3, lengthBonus: Double? = nil,
    jointCTCWeight: Double = 0.8, jointLengthBonus: Double = 0, auxiliaryWeights: [Float]? = nil,
    confidence: ConfidenceConfig? = nil
  ) {
    self.attentionWeight = attentionWeight
    self.reverseWeight = reverseWeight
    self.lengthBonus = lengthBonus
    self.jointCTCWeight = jointCTCWeight
    self.jointLengthBonus = jointLengthBonus
    self.auxiliaryWeights = auxiliaryWeights
    self.confidence = confidence
  }

  enum CodingKeys: String, CodingKey {
    case attentionWeight = "attention_weight"
    case reverseWeight = "reverse_weight"
    case lengthBonus = "length_bonus"
    case jointCTCWeight = "joint_ctc_weight"
    case jointLengthBonus = "joint_length_bonus"
    case auxiliaryWeights = "auxiliary_weights"
    case confidence
  }
}

/// Calibration of word confidences: `σ(scale · logit(p) + offset)`.
public struct ConfidenceConfig: Codable, Equatable, Sendable {
  public var scale: Double
  public var offset: Double

  public init(scale: Double, offset: Double) {
    self.scale = scale
    self.offset = offset
  }
}
