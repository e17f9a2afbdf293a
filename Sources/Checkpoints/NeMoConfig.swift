/// The part of a NeMo `model_config.yaml` that decides how a CTC model computes. A field that is
/// absent or null has NeMo's default, which `NeMoConfig.modelConfig` knows.
struct NeMoConfig: Decodable {
  var sampleRate: Int?
  var preprocessor: Preprocessor
  var encoder: Encoder
  var decoder: Decoder
  var tokenizer: Tokenizer?

  enum CodingKeys: String, CodingKey {
    case sampleRate = "sample_rate"
    case preprocessor, encoder, decoder, tokenizer
  }

  struct Preprocessor: Decodable {
    var fields: Fields
    /// Explicitly null means "no normalisation", absent means the default.
    var normalize: String

    enum CodingKeys: CodingKey { case normalize }

    init(from decoder: any Swift.Decoder) throws {
      fields = try Fields(from: decoder)
      let container = try decoder.container(keyedBy: CodingKeys.self)
      if !container.contains(.normalize) {
        normalize = "per_feature"
      } else {
        normalize = try container.decodeIfPresent(String.self, forKey: .normalize) ?? "NA"
      }
    }

    struct Fields: Decodable {
      var target: String?
      var sampleRate: Int?
      var features: Int?
      /// Seconds, as are the strides; the `n_` ones are samples and exclude them.
      var windowSize: Double?
      var windowStride: Double?
      var windowSamples: Int?
      var strideSamples: Int?
      var window: String?
      var fftSize: Int?
      var frameSplicing: Int?
      var preemphasis: Double?
      var lowFrequency: Double?
      var highFrequency: Double?
      var log: Bool?
      var guardType: String?
      var guardValue: Double?
      var magnitudePower: Double?
      var melNorm: String?
      var exactPad: Bool?

      enum CodingKeys: String, CodingKey {
        case target = "_target_"
        case sampleRate = "sample_rate"
        case features
        case windowSize = "window_size"
        case windowStride = "window_stride"
        case windowSamples = "n_window_size"
        case strideSamples = "n_window_stride"
        case window
        case fftSize = "n_fft"
        case frameSplicing = "frame_splicing"
        case preemphasis = "preemph"
        case lowFrequency = "lowfreq"
        case highFrequency = "highfreq"
        case log
        case guardType = "log_zero_guard_type"
        case guardValue = "log_zero_guard_value"
        case magnitudePower = "mag_power"
        case melNorm = "mel_norm"
        case exactPad = "exact_pad"
      }
    }
  }

  struct Encoder: Decodable {
    var target: String?
    var inputFeatures: Int?
    var outputFeatures: Int?
    var layers: Int
    var width: Int
    var heads: Int?
    var subsampling: String?
    var subsamplingFactor: Int?
    var subsamplingChannels: Int?
    var causalDownsampling: Bool?
    var reduction: String?
    var feedForwardExpansion: Int?
    var attention: String?
    var attentionContext: Numbers?
    var attentionStyle: String?
    var untieBiases: Bool?
    var usesBias: Bool?
    var convolutionKernel: Int?
    var convolutionNorm: String?
    var convolutionContext: Numbers?
    var scalesInput: Bool?

    enum CodingKeys: String, CodingKey {
      case target = "_target_"
      case inputFeatures = "feat_in"
      case outputFeatures = "feat_out"
      case layers = "n_layers"
      case width = "d_model"
      case heads = "n_heads"
      case subsampling
      case subsamplingFactor = "subsampling_factor"
      case subsamplingChannels = "subsampling_conv_channels"
      case causalDownsampling = "causal_downsampling"
      case reduction
      case feedForwardExpansion = "ff_expansion_factor"
      case attention = "self_attention_model"
      case attentionContext = "att_context_size"
      case attentionStyle = "att_context_style"
      case untieBiases = "untie_biases"
      case usesBias = "use_bias"
      case convolutionKernel = "conv_kernel_size"
      case convolutionNorm = "conv_norm_type"
      case convolutionContext = "conv_context_size"
      case scalesInput = "xscaling"
    }
  }

  struct Decoder: Decodable {
    var target: String?
    var inputFeatures: Int?
    /// Blank not counted; -1 for as many as the vocabulary has.
    var classes: Int?
    var vocabulary: [String]?

    enum CodingKeys: String, CodingKey {
      case target = "_target_"
      case inputFeatures = "feat_in"
      case classes = "num_classes"
      case vocabulary
    }
  }

  struct Tokenizer: Decodable {
    var type: String?
  }

  /// A context size: `[-1, -1]`, a list of such lists, or a word such as "causal".
  enum Numbers: Decodable, Equatable, CustomStringConvertible {
    case flat([Int])
    case nested([[Int]])
    case word(String)

    init(from decoder: any Swift.Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flat = try? container.decode([Int].self) {
        self = .flat(flat)
      } else if let nested = try? container.decode([[Int]].self) {
        self = .nested(nested)
      } else {
        self = .word(try container.decode(String.self))
      }
    }

    var description: String {
      switch self {
      case .flat(let numbers): "\(numbers)"
      case .nested(let lists): "\(lists)"
      case .word(let word): "'\(CheckpointError.printable(word))'"
      }
    }
  }
}
