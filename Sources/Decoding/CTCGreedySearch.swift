/// A token that a search has found.
public struct DecodedToken: Equatable, Sendable {
  /// Class of the CTC head.
  public var id: Int
  /// Encoder frame of the stream at which the token first appears, its peak.
  public var frame: Int
  /// Highest log-probability of the token over the frames that it holds.
  public var logProb: Float

  public init(id: Int, frame: Int, logProb: Float) {
    self.id = id
    self.frame = frame
    self.logProb = logProb
  }
}

/// Greedy CTC search: the best class of each frame, repeats merged, blanks dropped.
///
/// Its only state is the class of the frame before, so frames may come in any portions.
public struct CTCGreedySearch: Sendable {
  private let blank: Int
  private var previous: Int

  public init(blank: Int) {
    self.blank = blank
    previous = blank
  }

  /// Takes one frame of log-probabilities and appends or refines the last of `tokens`.
  ///
  /// - Parameter frame: index of the frame in the stream.
  /// - Returns: whether a new token began.
  @discardableResult
  public mutating func advance(
    _ logProbs: UnsafeBufferPointer<Float>, frame: Int, tokens: inout [DecodedToken]
  ) -> Bool {
    var best = 0
    for id in 1..<logProbs.count where logProbs[id] > logProbs[best] { best = id }
    defer { previous = best }
    guard best != blank else { return false }
    if best == previous {
      // The utterance may have been closed while its last token still sounded.
      guard !tokens.isEmpty else { return false }
      tokens[tokens.count - 1].logProb = max(tokens[tokens.count - 1].logProb, logProbs[best])
      return false
    }
    tokens.append(DecodedToken(id: best, frame: frame, logProb: logProbs[best]))
    return true
  }
}
