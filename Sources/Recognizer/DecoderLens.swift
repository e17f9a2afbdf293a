import Conformer
import Decoding
import Tensor

/// What the left-to-right attention decoder would say if the encoder, or itself, ended after each
/// layer.
///
/// The audio is heard and divided into utterances as an ordinary stream hears and divides it; each
/// is looked at when it ends, and then forgotten.
public final class DecoderLens: LayerLens {
  /// Whose layers are looked at.
  public enum Layers: Sendable {
    /// The decoder reads a layer's output in place of the last layer's and says its greedy text, cut
    /// off where it loops (DecoderLens, Langedijk et al. 2024). These encoders have no norm after
    /// their last layer that would have to come between. The last layer's text is that of
    /// `FinalPass.draft`, which keeps the CTC text only where it cannot place the decoder's.
    case encoder
    /// The decoder reads the CTC text, and its final norm and output head are put after a layer:
    /// the text is the most probable token at each place, given the CTC tokens before it.
    case decoder
  }

  public let layerCount: Int
  private let stream: RecognizerStream
  private let found: Found

  private final class Found {
    /// Texts of the utterances that have ended. [layers]
    var texts: [[String]]
    init(layers: Int) { texts = Array(repeating: [], count: layers) }
  }

  /// - Parameter latency: how much context the encoder has; all by default.
  /// - Throws: if the model has no attention decoder.
  public init(
    model: RecognizerModel, layers: Layers, latency: Latency = .fullContext,
    leftContext: LeftContext? = nil, workspace: Workspace = Workspace()
  ) throws(LensError) {
    guard let decoder = model.networks.decoder else { throw LensError(model: model.name) }
    layerCount = layers == .encoder ? model.layerCount : decoder.left.layerCount
    found = Found(layers: layerCount)
    stream = model.makeStream(
      RecognizerOptions(latency: latency, leftContext: leftContext, wantsPartials: false),
      workspace: workspace)
    let (run, scratch) = (
      model.decoderRun(auxiliaryWeights: model.decodingWeights.auxiliaryWeights), workspace.scratch
    )
    var observer = StreamObserver()
    observer.utterance = { [found, layerCount, vocabulary = model.vocabulary] utterance, frames in
      scratch.scope {
        let range = frames.range(of: utterance)
        let tokens =
          switch layers {
          case .encoder:
            (0..<layerCount).map {
              let hidden = frames.outputs(range, ofLayer: $0, scratch: scratch)
              let longest = FinalDecoder.longestText(utterance, frames: range.count)
              return Self.greedyTokens(decoder, reading: hidden, longest, run, scratch)
            }
          case .decoder:
            Self.earlyExits(
              decoder.left, reading: utterance.tokens.map(\.id),
              frames.outputs(range, scratch: scratch), scratch)
          }
        for (layer, tokens) in tokens.enumerated() {
          found.texts[layer].append(vocabulary.text(tokens))
        }
      }
    }
    stream.observer = observer
  }

  public var duration: Double { stream.duration }

  public func accept(_ samples: some Collection<Float>) {
    _ = stream.accept(samples)
  }

  public func finish() -> [String] {
    _ = stream.finish()
    return found.texts.map { $0.filter { !$0.isEmpty }.joined(separator: " ") }
  }

  private static func greedyTokens(
    _ decoder: BidirectionalDecoder, reading hidden: MatrixView, _ longest: Int,
    _ run: DecoderRun, _ scratch: ScratchArena
  ) -> [Int] {
    scratch.scope {
      let scorer = DecoderScorer(
        decoder, frames: hidden, usesRight: false, run: run, scratch: scratch)
      return AttentionGreedy(maxLength: longest).search(scorer).tokens
    }
  }

  /// The most probable token at each place of a text after each layer, but where that is its end.
  private static func earlyExits(
    _ decoder: AttentionDecoder, reading tokens: [Int], _ hidden: MatrixView,
    _ scratch: ScratchArena
  ) -> [[Int]] {
    final class Best { var tokens: [[Int]] = [] }
    let best = Best()
    best.tokens = Array(repeating: [], count: decoder.layerCount)
    // The rows of a single sequence are its places in order.
    let tree = PrefixTree([TokenSequence(tokens)], start: decoder.startEnd)
    decoder.layerLogProbs(tree, memory: decoder.makeMemory(hidden), scratch: scratch) {
      layer, _, logProbs in
      for row in 0..<logProbs.rows {
        let values = logProbs.rows(row..<row + 1).values
        let token = values.indices.max { values[$0] < values[$1] }!
        if token != decoder.startEnd { best.tokens[layer].append(token) }
      }
    }
    return best.tokens
  }
}
