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
      for start in stride(from: 0, to: hidden.rows, by: Self.tile) {
        scratch.scope {
          let rows = start..<min(start + Self.tile, hidden.rows)
          let result = scratch.matrix(rows: rows.count, columns: vocabulary)
          logProbs(
            hidden.rows(rows), auxiliary.map { $0.rows(rows) }, run: run, into: result,
            scratch: scratch)
          body(start, result)
        }
      }
    }
  }
}
