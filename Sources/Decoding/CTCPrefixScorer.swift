/// CTC prefix scores over a whole utterance (§4.3 of the specification).
///
/// ψ(g) is the log-probability that the utterance's text begins with g; a search uses the
/// differences ψ(g·c) − ψ(g). To score a candidate token costs O(T) and needs none of its forward
/// variables; those are computed by `extend` for the few candidates that a search keeps.
public struct CTCPrefixScorer: Sendable {
  /// Stands for ln 0, so that differences of scores are numbers.
  public static let impossible = -1e10

  public let blank: Int
  private let columns: FrameColumns
  /// The empty prefix, where every search begins.
  public let empty: CTCPrefix

  /// - Parameter logProbs: of the whole utterance; copied.
  public init(_ logProbs: LogProbs, blank: Int) {
    precondition((0..<logProbs.vocabulary).contains(blank))
    self.blank = blank
    var columns = FrameColumns(vocabulary: logProbs.vocabulary)
    columns.append(logProbs)
    self.columns = columns
    var empty = CTCPrefix()
    empty.advance(columns, blank: blank, parent: nil)
    self.empty = empty
  }

  public var frames: Int { columns.frames }
  /// Classes, blank included.
  public var vocabulary: Int { columns.vocabulary }

  /// ψ(g), in nats.
  public func score(_ prefix: CTCPrefix) -> Double { max(prefix.score, Self.impossible) }

  /// ψ(g·eos) = ln P(g | audio), in nats.
  public func endScore(_ prefix: CTCPrefix) -> Double { max(prefix.endScore, Self.impossible) }

  /// ψ(g·c) for each candidate c: the pre-beam form. The blank is impossible.
  public func scores(of tokens: [Int], after prefix: CTCPrefix) -> [Double] {
    tokens.map { token in
      token == blank
        ? Self.impossible : max(prefix.score(extendedBy: token, columns), Self.impossible)
    }
  }

  /// The classes, without blank, that are at least this probable in some frame; ascending.
  ///
  /// - Parameter logProb: in nats.
  public func tokens(atLeast logProb: Float) -> [Int] {
    (0..<vocabulary).filter { id in
      id != blank && (0..<frames).contains { columns[$0, id] >= Double(logProb) }
    }
  }

  /// ψ(g·c) for every class c. [vocabulary]
  public func scores(after prefix: CTCPrefix) -> [Double] {
    scores(of: Array(0..<vocabulary), after: prefix)
  }

  /// ψ(g·c) for the candidates of each of a batch of prefixes.
  public func scores(of tokens: [[Int]], after prefixes: [CTCPrefix]) -> [[Double]] {
    precondition(tokens.count == prefixes.count)
    return zip(tokens, prefixes).map { scores(of: $0, after: $1) }
  }

  /// g·token with its forward variables. O(T)
  public func extend(_ prefix: CTCPrefix, by token: Int) -> CTCPrefix {
    precondition(token != blank, "a prefix has no blanks")
    var next = CTCPrefix(extending: prefix.length, by: token)
    next.advance(columns, blank: blank, parent: prefix)
    return next
  }

  /// ln P(tokens | audio), in nats.
  public func logProb(of tokens: [Int]) -> Double {
    endScore(tokens.reduce(empty) { extend($0, by: $1) })
  }
}
