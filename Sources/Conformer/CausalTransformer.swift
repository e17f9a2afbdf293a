import Tensor

/// A Transformer decoder without cross-attention: the network of a language model. Pre-norm, ReLU,
/// sinusoidal absolute positions from 0, embeddings scaled by √d. Immutable.
///
/// It is `AttentionDecoder` with nothing to listen to, made of the same parts.
public struct CausalTransformer: Sendable {
  public let vocabulary: Int
  /// The class that starts and ends every sequence.
  public let startEnd: Int
  private let width: Int
  private let embedding: TokenEmbedding
  private let layers: [(attention: CausalSelfAttention, feedForward: FeedForward)]
  private let norm: LayerNorm
  private let output: Linear
  /// Rows whose log-probabilities are computed at a time: bounds the matrix over a large vocabulary.
  private static let tile = 64

  /// - Parameter reader: at the tensors of docs/model-format.md, "Language models".
  public init(_ reader: WeightReader, _ config: LanguageModelConfig) throws(WeightError) {
    (width, vocabulary, startEnd) = (config.width, config.vocabulary, config.startEnd)
    embedding = try TokenEmbedding(
      reader["embed"], vocabulary: vocabulary, width: width,
      positions: SinusoidalPositions(width: width))
    var stack: [(CausalSelfAttention, FeedForward)] = []
    for index in 0..<config.layers {
      let layer = reader["layers"][index]
      let attention = try CausalSelfAttention(
        norm: layer["norm1"], layer["self_attn"], width: width, heads: config.heads)
      let feedForward = try FeedForward(
        norm: layer["norm2"], linears: layer["feed_forward"], width: width,
        innerWidth: config.feedForwardWidth)
      stack.append((attention, feedForward))
    }
    layers = stack
    norm = try reader["after_norm"].layerNorm(width)
    output = try reader["output_layer"].linear(inputs: width, outputs: vocabulary)
  }

  /// Log-probability of every token of every sequence, and of the end after it, in one pass in
  /// which sequences share what they begin with.
  ///
  /// - Returns: [sequences][tokens + 1], in nats.
  public func targetLogProbs(_ sequences: [[Int]], scratch: ScratchArena) -> [[Float]] {
    let sequences = sequences.map { TokenSequence($0) }
    let tree = PrefixTree(sequences, start: startEnd)
    return tree.targetLogProbs(sequences, end: startEnd) { receive in
      scratch.scope {
        let x = scratch.matrix(rows: tree.count, columns: width)
        embedding.embed(tree, into: x)
        tree.withRows { rows in
          for layer in layers {
            layer.attention.step(x, rows: rows, cache: nil, scratch: scratch)
            layer.feedForward.step(x, scratch: scratch)
          }
        }
        norm.apply(x, into: x)
        for start in stride(from: 0, to: x.rows, by: Self.tile) {
          scratch.scope {
            let rows = start..<min(start + Self.tile, x.rows)
            let logProbs = scratch.matrix(rows: rows.count, columns: vocabulary)
            output.applyLogSoftmax(x.rows(rows), into: logProbs)
            receive(start, logProbs)
          }
        }
      }
    }
  }
}
