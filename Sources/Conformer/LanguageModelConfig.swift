/// The architecture of a Transformer language model: the content of `config.json` in its folder.
/// docs/model-format.md describes every field.
public struct LanguageModelConfig: Codable, Equatable, Sendable {
  /// The only layout this version reads.
  public static let currentFormat = "starling-lm-1"

  /// Layout of the folder; `LanguageModelConfig.currentFormat`.
  public var format: String
  /// Name that people see.
  public var model: String
  /// Model width d.
  public var width: Int
  public var heads: Int
  /// Inner width of the feed-forward modules.
  public var feedForwardWidth: Int
  public var layers: Int
  /// Classes of the acoustic model, its blank included.
  public var vocabulary: Int
  /// The class that starts and ends every sequence; one that no text has.
  public var startEnd: Int

  public init(
    format: String = LanguageModelConfig.currentFormat, model: String, width: Int, heads: Int,
    feedForwardWidth: Int, layers: Int, vocabulary: Int, startEnd: Int
  ) {
    self.format = format
    self.model = model
    self.width = width
    self.heads = heads
    self.feedForwardWidth = feedForwardWidth
    self.layers = layers
    self.vocabulary = vocabulary
    self.startEnd = startEnd
  }

  enum CodingKeys: String, CodingKey {
    case format
    case model
    case width = "d_model"
    case heads = "n_heads"
    case feedForwardWidth = "d_feed_forward"
    case layers
    case vocabulary
    case startEnd = "sos_eos"
  }

  /// Reads and checks a `config.json`.
  public static func load(_ path: String) throws(ModelError) -> LanguageModelConfig {
    let config = try ConfigFile.load(LanguageModelConfig.self, path, format: currentFormat)
    try config.validate(path)
    return config
  }

  private func validate(_ file: String) throws(ModelError) {
    for (holds, name, expected, found) in [
      ((2...8192).contains(width), "d_model", "2 to 8192", width),
      (heads > 0 && width % heads == 0, "n_heads", "a divisor of d_model (\(width))", heads),
      (
        (1...65_536).contains(feedForwardWidth), "d_feed_forward", "1 to 65536", feedForwardWidth
      ),
      ((1...256).contains(layers), "layers", "1 to 256", layers),
      ((2...1_000_000).contains(vocabulary), "vocabulary", "2 to 1000000", vocabulary),
      (
        startEnd >= 0 && startEnd < vocabulary, "sos_eos",
        "a class below vocabulary (\(vocabulary))", startEnd
      ),
    ] where !holds {
      throw .field(file: file, name: name, expected: expected, found: "\(found)")
    }
  }
}
