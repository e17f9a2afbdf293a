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
}
