import Tensor

/// Tokens of a hypothesis in the order in which a decoder reads them, without start and end.
public struct TokenSequence: Hashable, Sendable {
  public var tokens: [Int]
  /// Index of the utterance in the memory.
  public var utterance: Int

  public init(_ tokens: [Int], utterance: Int = 0) {
    self.tokens = tokens
    self.utterance = utterance
  }
}

/// Token sequences laid out for one pass of a decoder: a row for every different prefix.
///
/// The hypotheses of an n-best list begin alike for long stretches. A causal decoder computes the
/// same for equal prefixes of one utterance, so they share rows, and nothing is padded. Each row
/// attends the rows of its own prefix.
public struct PrefixTree: Sendable {
  /// Row of each position of each sequence. Position 0 has read the start token, position j the
  /// first j tokens. [sequences][tokens + 1]
  public private(set) var rows: [[Int]] = []
  /// Number of rows.
  public var count: Int { tokens.count }

  /// Token that each row reads.
  private(set) var tokens: [Int] = []
  /// Rows on the way from the start to each row, itself included, one row after the other.
  private(set) var lineage: [Int32] = []
  private(set) var visible: [Range<Int>] = []
  private(set) var groups: [RowGroup] = []

  private struct Edge: Hashable {
    var parent: Int
    var token: Int
  }

  /// - Parameter start: the token before the first.
  public init(_ sequences: [TokenSequence], start: Int) {
    rows = Array(repeating: [], count: sequences.count)
    var owners: [Int] = []
    var edges: [Edge: Int] = [:]
    // Utterance by utterance, so that the rows of one are consecutive.
    let order = sequences.indices.sorted {
      (sequences[$0].utterance, $0) < (sequences[$1].utterance, $1)
    }
    for index in order {
      let (sequence, utterance) = (sequences[index], sequences[index].utterance)
      // The root of an utterance hangs on a parent that no row has.
      var row = -1 - utterance
      for token in [start] + sequence.tokens {
        let edge = Edge(parent: row, token: token)
        if let known = edges[edge] {
          row = known
        } else {
          row = append(token, parent: row)
          edges[edge] = row
          owners.append(utterance)
        }
        rows[index].append(row)
      }
    }
    groups = RowGroup.groups(owners)
  }

  private mutating func append(_ token: Int, parent: Int) -> Int {
    let (row, begin) = (tokens.count, lineage.count)
    tokens.append(token)
    if parent >= 0 { lineage.append(contentsOf: lineage[visible[parent]]) }
    lineage.append(Int32(row))
    visible.append(begin..<lineage.count)
    return row
  }

  /// Tokens before a row's own.
  func position(_ row: Int) -> Int { visible[row].count - 1 }

  /// Calls `body` with the rows as layers want them, unless there are none.
  func withRows(_ body: (DecoderRows) -> Void) {
    lineage.withUnsafeBufferPointer {
      guard let lineage = $0.baseAddress else { return }
      body(DecoderRows(groups: groups, visible: visible, lineage: lineage))
    }
  }

  /// Log-probability of every token of every sequence, and of the end after it.
  ///
  /// - Parameters:
  ///   - sequences: those that the tree was made of.
  ///   - end: the class that ends a sequence.
  ///   - logProbs: calls its argument with the log-probabilities [rows, vocabulary] of what follows
  ///     all rows, some rows at a time, and the index of the first of them.
  /// - Returns: [sequences][tokens + 1].
  func targetLogProbs(
    _ sequences: [TokenSequence], end: Int,
    _ logProbs: ((_ firstRow: Int, _ logProbs: MatrixView) -> Void) -> Void
  ) -> [[Float]] {
    // Which sequence wants which target of each row.
    var wanted: [[(sequence: Int, position: Int)]] = Array(repeating: [], count: count)
    for (index, rows) in rows.enumerated() {
      for (position, row) in rows.enumerated() { wanted[row].append((index, position)) }
    }
    var result = sequences.map { [Float](repeating: 0, count: $0.tokens.count + 1) }
    logProbs { first, logProbs in
      for row in 0..<logProbs.rows {
        for (index, position) in wanted[first + row] {
          let tokens = sequences[index].tokens
          let target = position < tokens.count ? tokens[position] : end
          result[index][position] = logProbs.pointer[row * logProbs.stride + target]
        }
      }
    }
    return result
  }
}
