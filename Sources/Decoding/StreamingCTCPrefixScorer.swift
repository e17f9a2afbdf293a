/// CTC prefix scores of an utterance that is still being spoken, exact for the frames so far.
///
/// Prefixes are kept in a trie with their forward variables. When frames arrive, the recursion of
/// `CTCPrefixScorer` goes on over these frames only, from the root to the leaves: the cost is new
/// frames × prefixes. Unlike ESPnet's `extend_state`, no path is dropped, so the scores equal
/// those of the whole.
public struct StreamingCTCPrefixScorer: Sendable {
  /// The empty prefix.
  public static let root = PrefixTrie.root

  public let blank: Int
  private var columns: FrameColumns
  private var trie = PrefixTrie()
  /// Of each node of the trie.
  private var prefixes = [CTCPrefix()]

  public init(vocabulary: Int, blank: Int) {
    precondition((0..<vocabulary).contains(blank))
    self.blank = blank
    columns = FrameColumns(vocabulary: vocabulary)
  }

  /// Frames taken so far.
  public var frames: Int { columns.frames }
  /// Prefixes kept.
  public var count: Int { trie.count }

  /// Takes frames and brings all prefixes up to date. [frames, vocabulary]
  public mutating func accept(_ logProbs: LogProbs) {
    columns.append(logProbs)
    // A parent's number is lower than its children's.
    for node in prefixes.indices { bringUpToDate(node) }
  }

  /// The prefix of `node` and then `token`, added if it is new.
  public mutating func extend(_ node: Int, by token: Int) -> Int {
    precondition(token != blank, "a prefix has no blanks")
    if let child = trie.child(node, token) { return child }
    let child = trie.add(node, token)
    prefixes.append(CTCPrefix(extending: trie.depth(node), by: token))
    bringUpToDate(child)
    return child
  }

  /// ψ(g) over the frames so far, in nats.
  public func score(_ node: Int) -> Double {
    max(prefixes[node].score, CTCPrefixScorer.impossible)
  }

  /// ψ(g·eos) if the audio ends with the frames so far, in nats.
  public func endScore(_ node: Int) -> Double {
    max(prefixes[node].endScore, CTCPrefixScorer.impossible)
  }

  /// ψ(g·c) for each candidate c over the frames so far, which adds no prefix.
  public func scores(of tokens: [Int], after node: Int) -> [Double] {
    tokens.map { token in
      if token == blank { return CTCPrefixScorer.impossible }
      if let child = trie.child(node, token) { return score(child) }
      return max(prefixes[node].score(extendedBy: token, columns), CTCPrefixScorer.impossible)
    }
  }

  /// The tokens of a prefix.
  public func tokens(of node: Int) -> [Int] { trie.tokens(node) }

  /// Drops all prefixes but `nodes` and what they begin with.
  ///
  /// - Returns: the new numbers of `nodes`, in the same order.
  public mutating func keep(only nodes: [Int]) -> [Int] {
    let renumbered = trie.compact(keeping: nodes)
    for (old, new) in renumbered.enumerated() where new >= 0 { prefixes[new] = prefixes[old] }
    prefixes.removeSubrange(trie.count...)
    return nodes.map { renumbered[$0] }
  }

  private mutating func bringUpToDate(_ node: Int) {
    let parent = node == Self.root ? nil : prefixes[trie.parent(node)]
    prefixes[node].advance(columns, blank: blank, parent: parent)
  }
}
