/// A language model that scores whole token sequences at once, such as a Transformer in one padded
/// batch. Rescoring keeps its scores apart from the acoustic ones.
public protocol SequenceLanguageModel: Sendable {
  /// The log-probability of each sequence with its end, in nats.
  func logProbs(of sequences: [[Int]]) -> [Double]
}

extension TokenBias {
  /// The score of a whole utterance, its end included.
  public func score(of tokens: [Int]) -> Double {
    var state = start
    var sum = 0.0
    for token in tokens {
      let (next, score) = step(state, token: token)
      state = next
      sum += score
    }
    return sum + finish(state)
  }
}

extension SequenceLanguageModel where Self: TokenBias {
  public func logProbs(of sequences: [[Int]]) -> [Double] { sequences.map(score) }
}
