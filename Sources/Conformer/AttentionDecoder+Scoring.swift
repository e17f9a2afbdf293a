import Tensor

extension AttentionDecoder {
  /// Rows whose log-probabilities are computed at a time: bounds the matrix over a large vocabulary.
  private static let tile = 64

  /// Log-probability of every token of every sequence, and of the end after it, in one pass.
  ///
  /// - Returns: [sequences][tokens + 1].
  public func targetLogProbs(
    _ sequences: [TokenSequence], memory: CrossAttentionMemory, run: DecoderRun = DecoderRun(),
    scratch: ScratchArena
  ) -> [[Float]] {
    let tree = PrefixTree(sequences, start: startEnd)
    return tree.targetLogProbs(sequences, end: startEnd) {
      logProbs(tree, memory: memory, run: run, scratch: scratch, $0)
    }
  }

  /// Log-probabilities of what follows every row of `tree`, some rows at a time.
  ///
  /// - Parameter body: receives the index of the first row and [rows, vocabulary], valid during
  ///   the call only.
  public func logProbs(
    _ tree: PrefixTree, memory: CrossAttentionMemory, run: DecoderRun = DecoderRun(),
    scratch: ScratchArena, _ body: (_ firstRow: Int, _ logProbs: MatrixView) -> Void
  ) {
    read(tree, memory: memory, run: run, scratch: scratch) { hidden, auxiliary in
      tiles(of: hidden.rows, scratch) { rows, result in
        logProbs(
          hidden.rows(rows), auxiliary.map { $0.rows(rows) }, run: run, into: result,
          scratch: scratch)
        body(rows.lowerBound, result)
      }
    }
  }

  /// What the final norm and output head would say after each layer, were it the last (an early
  /// exit; the logit lens). The last layer's are those of `logProbs` without auxiliary heads.
  ///
  /// - Parameter body: receives the layer's index, the index of the first row and log-probabilities
  ///   of what follows each row, [rows, vocabulary], valid during the call only.
  public func layerLogProbs(
    _ tree: PrefixTree, memory: CrossAttentionMemory, scratch: ScratchArena,
    _ body: @escaping (_ layer: Int, _ firstRow: Int, _ logProbs: MatrixView) -> Void
  ) {
    var run = DecoderRun()
    run.afterLayer = { layer, hidden in
      tiles(of: hidden.rows, scratch) { rows, result in
        earlyExit(hidden.rows(rows), into: result, scratch: scratch)
        body(layer, rows.lowerBound, result)
      }
    }
    read(tree, memory: memory, run: run, scratch: scratch) { _, _ in }
  }

  /// Calls `body` with some rows after the other of `rows`, and a matrix for their
  /// log-probabilities.
  private func tiles(
    of rows: Int, _ scratch: ScratchArena, _ body: (Range<Int>, MatrixView) -> Void
  ) {
    for start in stride(from: 0, to: rows, by: Self.tile) {
      scratch.scope {
        let rows = start..<min(start + Self.tile, rows)
        body(rows, scratch.matrix(rows: rows.count, columns: vocabulary))
      }
    }
  }
}
