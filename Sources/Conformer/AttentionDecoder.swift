import Tensor

/// A Transformer decoder of one direction: pre-norm, ReLU, sinusoidal absolute positions from 0,
/// embeddings scaled by √d. Immutable.
///
/// It reads tokens in the order given; whoever wants right to left reverses them
/// (`BidirectionalDecoder`). There are two forms of the same arithmetic: whole sequences at once
/// (`logProbs`, `targetLogProbs`), and one token per hypothesis (`step`).
public struct AttentionDecoder: Sendable {
  public let width: Int
  public let vocabulary: Int
  /// The class that starts and ends every sequence.
  public let startEnd: Int
  /// Layers that have an auxiliary head.
  public let auxiliaryLayers: [Int]
  private let embedding: TokenEmbedding
  /// Of the frames, for a decoder whose cross-attention reads their places.
  private let framePositions: SinusoidalPositions?
  private let layers: [DecoderLayer]
  private let norm: LayerNorm
  private let output: Linear
  private let auxiliary: [Linear]

  /// - Parameter reader: at the tensors below `decoder.left.` or `decoder.right.`.
  init(
    _ reader: WeightReader, _ config: DecoderConfig, layers: Int, auxiliaryLayers: [Int],
    positions: SinusoidalPositions
  ) throws(WeightError) {
    (width, vocabulary, startEnd) = (config.width, config.vocabulary, config.startEnd)
    self.auxiliaryLayers = auxiliaryLayers
    embedding = try TokenEmbedding(
      reader["embed"], vocabulary: vocabulary, width: width, positions: positions)
    framePositions = config.positionWidth.map { SinusoidalPositions(width: $0) }
    var stack: [DecoderLayer] = []
    for index in 0..<layers { stack.append(try DecoderLayer(reader["layers"][index], config)) }
    self.layers = stack
    norm = try reader["after_norm"].layerNorm(width)
    output = try reader["output_layer"].linear(inputs: width, outputs: vocabulary)
    var heads: [Linear] = []
    for layer in auxiliaryLayers {
      heads.append(
        try reader["auxiliary"][layer].linear(inputs: width, outputs: vocabulary))
    }
    auxiliary = heads
  }

  /// Number of layers.
  public var layerCount: Int { layers.count }

  /// Keys and values of the cross-attention for encoder frames.
  ///
  /// - Parameters:
  ///   - frames: the encoder's output, [frames of all utterances, d].
  ///   - utterances: rows of each utterance; nil for one that has all of them.
  public func makeMemory(
    _ frames: MatrixView, utterances: [Range<Int>]? = nil
  ) -> CrossAttentionMemory {
    CrossAttentionMemory(
      layers.map(\.memoryProjection), heads: layers[0].heads, frames: frames,
      utterances: utterances ?? [0..<frames.rows], positions: framePositions)
  }

  /// The state of hypotheses that have read nothing.
  ///
  /// - Parameters:
  ///   - utterances: index in the memory of each hypothesis' utterance.
  ///   - maximumLength: most tokens that one will read, the start token included.
  public func makeState(utterances: [Int], maximumLength: Int) -> DecoderState {
    DecoderState(
      utterances: utterances, maximumLength: maximumLength, rowFloats: layerCount * 2 * width)
  }

  /// Reads one token per hypothesis; the first is `startEnd`.
  ///
  /// - Parameter logProbs: of the token that follows, [hypotheses, vocabulary].
  public func step(
    _ tokens: [Int], state: inout DecoderState, memory: CrossAttentionMemory,
    run: DecoderRun = DecoderRun(), into logProbs: MatrixView, scratch: ScratchArena
  ) {
    precondition(tokens.count == state.count, "\(tokens.count) tokens, \(state.count) hypotheses")
    precondition(state.rowFloats == layerCount * 2 * width, "the state of another decoder")
    guard !tokens.isEmpty else { return }
    state.appendRows()
    scratch.scope {
      let x = scratch.matrix(rows: tokens.count, columns: width)
      for (row, token) in tokens.enumerated() {
        embedding.embed(
          token, position: state.length(row) - 1, into: x.pointer + row * x.stride)
      }
      let (groups, visible) = (state.groups, state.visible)
      let heads = state.lineage.withUnsafeBufferPointer { lineage in
        let rows = DecoderRows(
          groups: groups, visible: visible, lineage: lineage.baseAddress!)
        return state.pool.withUnsafeMutableBufferPointer { pool in
          forward(x, rows: rows, pool: pool, memory: memory, run: run, scratch: scratch)
        }
      }
      self.logProbs(x, heads, run: run, into: logProbs, scratch: scratch)
    }
  }

  /// Reads whole sequences in one pass and hands out the hidden rows before the output layer.
  func read(
    _ tree: PrefixTree, memory: CrossAttentionMemory, run: DecoderRun, scratch: ScratchArena,
    _ body: (_ hidden: MatrixView, _ auxiliary: [MatrixView]) -> Void
  ) {
    scratch.scope {
      let x = scratch.matrix(rows: tree.count, columns: width)
      embedding.embed(tree, into: x)
      tree.withRows { rows in
        body(x, forward(x, rows: rows, pool: nil, memory: memory, run: run, scratch: scratch))
      }
    }
  }

  /// Runs the layers over `x` in place and normalises it.
  ///
  /// - Returns: copies of the outputs that the auxiliary heads listen to, if the run asks for
  ///   them; in the scratch of the caller's scope.
  private func forward(
    _ x: MatrixView, rows: DecoderRows, pool: UnsafeMutableBufferPointer<Float>?,
    memory: CrossAttentionMemory, run: DecoderRun, scratch: ScratchArena
  ) -> [MatrixView] {
    precondition(memory.layerCount == layerCount, "the memory of another decoder")
    precondition(run.crossAttention.map { $0.layer < layerCount } ?? true, "no such layer")
    var kept: [MatrixView?] = Array(repeating: nil, count: auxiliary.count)
    let stride = layerCount * 2 * width
    for (index, layer) in layers.enumerated() {
      let cache = pool.map {
        MatrixView(
          $0.baseAddress! + index * 2 * width, rows: $0.count / stride, columns: 2 * width,
          stride: stride)
      }
      layer.step(
        x, rows: rows, cache: cache, memory: memory, layer: index,
        crossWeights: run.crossAttention?.layer == index ? run.crossAttention?.receive : nil,
        scratch: scratch)
      run.afterLayer?(index, x)
      if !run.auxiliaryWeights.isEmpty, let head = auxiliaryLayers.firstIndex(of: index) {
        let copy = scratch.matrix(rows: x.rows, columns: width)
        copy.copy(from: x)
        kept[head] = copy
      }
    }
    norm.apply(x, into: x)
    return kept.compactMap { $0 }
  }

  /// Log-probabilities of hidden rows. hidden: [rows, d], auxiliary: [rows, d] for each head,
  /// logProbs: [rows, vocabulary].
  func logProbs(
    _ hidden: MatrixView, _ auxiliary: [MatrixView], run: DecoderRun, into logProbs: MatrixView,
    scratch: ScratchArena
  ) {
    output.applyLogSoftmax(hidden, into: logProbs)
    guard !run.auxiliaryWeights.isEmpty else { return }
    scratch.scope {
      var heads: [MatrixView] = []
      for (head, hidden) in zip(self.auxiliary, auxiliary) {
        let result = scratch.matrix(rows: hidden.rows, columns: vocabulary)
        head.applyLogSoftmax(hidden, into: result)
        heads.append(result)
      }
      HeadMixture(run.auxiliaryWeights).mix(logProbs, with: heads)
    }
  }

  /// What the final norm and output head say of rows of a layer's output. hidden: [rows, d],
  /// logProbs: [rows, vocabulary].
  func earlyExit(_ hidden: MatrixView, into logProbs: MatrixView, scratch: ScratchArena) {
    scratch.scope {
      let x = scratch.matrix(rows: hidden.rows, columns: width)
      norm.apply(hidden, into: x)
      output.applyLogSoftmax(x, into: logProbs)
    }
  }
}
