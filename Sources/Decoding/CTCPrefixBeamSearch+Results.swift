extension CTCPrefixBeamSearch {
  /// Prefixes held, those on the beam and what they grew from.
  package var prefixCount: Int { trie.count }

  /// Hypotheses, the best first.
  ///
  /// - Parameters:
  ///   - count: at most this many.
  ///   - isEnd: whether the utterance ends here, so that biases settle their accounts.
  public func nBest(_ count: Int = .max, isEnd: Bool) -> [Hypothesis] {
    let ranked = beam.map { entry in (entry, trail(entry.node, isEnd: isEnd)) }
      .map { (entry: $0, trail: $1, total: $0.score + ($1?.weighted ?? 0)) }
      .enumerated()
      .sorted { ($0.element.total, $1.offset) > ($1.element.total, $0.offset) }
    return ranked.prefix(count).map { _, ranked in
      Hypothesis(
        tokens: tokens(ranked.entry), ctcScore: ranked.entry.score,
        biasScores: ranked.trail?.scores ?? [], total: ranked.total)
    }
  }

  /// Tokens of the best hypothesis so far.
  public var bestTokens: [DecodedToken] { tokens(bestEntry) }

  /// The tokens that all hypotheses begin with: whatever comes, they are not taken back, although
  /// the last one's time may move.
  ///
  /// - Parameter nats: hypotheses worse than the best by more than this have no say. With less than
  ///   the beam's own threshold the prefix is longer, but may be taken back.
  public func commonPrefix(within nats: Double = .infinity) -> [DecodedToken] {
    let best = bestEntry
    let lowest = total(best) - nats
    var common = best.node
    for entry in beam where total(entry) >= lowest {
      common = trie.commonPrefix(common, entry.node)
    }
    return Array(tokens(best).prefix(trie.depth(common)))
  }

  /// By how many nats the best hypothesis beats the second; infinite if it is alone.
  public var margin: Double {
    let totals = beam.map(total).sorted(by: >)
    return totals.count > 1 ? totals[0] - totals[1] : .infinity
  }

  private var bestEntry: BeamEntry {
    var best = beam[0]
    for entry in beam.dropFirst() where total(entry) > total(best) { best = entry }
    return best
  }

  private func total(_ entry: BeamEntry) -> Double {
    entry.score + (trails.isEmpty ? 0 : trails[entry.node].weighted)
  }

  private func trail(_ node: Int, isEnd: Bool) -> BiasTrail? {
    guard !trails.isEmpty else { return nil }
    var trail = trails[node]
    if isEnd { trail.finish(biases) }
    return trail
  }

  private func tokens(_ entry: BeamEntry) -> [DecodedToken] {
    cells.tokens(trie.tokens(entry.node), entry.bestAlignment)
  }
}
