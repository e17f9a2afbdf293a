import Decoding

/// What the CTC head would say after each encoder layer (DecoderLens, Langedijk et al. 2024).
///
/// The layers' outputs are those of an ordinary stream, and each is decoded as a stream decodes
/// its last one; so the text of the last layer is the stream's text.
public final class EncoderLens: LayerLens {
  public var layerCount: Int { model.layerCount }
  private let model: RecognizerModel
  private let stream: RecognizerStream
  private let decoders: Decoders

  private final class Decoders {
    var layers: [UtteranceDecoder]
    /// Text of the utterances that have ended. [layers]
    var texts: [[String]]

    init(_ decoder: UtteranceDecoder, count: Int) {
      layers = Array(repeating: decoder, count: count)
      texts = Array(repeating: [], count: count)
    }
  }

  /// - Parameter latency: how much context the encoder has; all by default.
  public init(
    model: RecognizerModel, latency: Latency = .fullContext, leftContext: LeftContext? = nil,
    workspace: Workspace = Workspace()
  ) {
    self.model = model
    let options = RecognizerOptions(
      latency: latency, leftContext: leftContext, wantsPartials: false)
    stream = model.makeStream(options, workspace: workspace)
    decoders = Decoders(
      UtteranceDecoder(
        vocabulary: model.vocabulary, rules: options.endpointRules,
        frameSeconds: model.frameSeconds),
      count: model.layerCount)
    stream.observer = StreamObserver(layerLogProbs: { [decoders, vocabulary = model.vocabulary] in
      for ended in decoders.layers[$0].advance($1) {
        decoders.texts[$0].append(vocabulary.text(ended.tokens.map(\.id)))
      }
    })
  }

  public var duration: Double { stream.duration }

  public func accept(_ samples: some Collection<Float>) {
    _ = stream.accept(samples)
  }

  public func finish() -> [String] {
    _ = stream.finish()
    return decoders.layers.indices.map { layer in
      if let last = decoders.layers[layer].finish() {
        decoders.texts[layer].append(model.vocabulary.text(last.tokens.map(\.id)))
      }
      return decoders.texts[layer].filter { !$0.isEmpty }.joined(separator: " ")
    }
  }
}
