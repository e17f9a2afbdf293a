/// A text that an attention decoder has found.
public struct AttentionResult: Equatable, Sendable {
  /// Tokens, without sos and eos.
  public var tokens: [Int]
  /// Log-probability of each token and, if `ended`, of eos.
  public var logProbs: [Float]
  /// Whether the decoder ended the text itself, not the limit of its length.
  public var ended: Bool
  /// How many times the decoder was run, each over all tokens in parallel or over one.
  public var passes: Int
}

/// Greedy attention search: the most probable next token until eos, one decoder step per token.
public struct AttentionGreedy: Sendable {
  /// Most tokens of a text.
  public let maxLength: Int

  public init(maxLength: Int) {
    precondition(maxLength >= 0)
    self.maxLength = maxLength
  }

  public func search(_ attention: some AttentionScorer) -> AttentionResult {
    var result = AttentionResult(tokens: [], logProbs: [], ended: false, passes: 0)
    var states = [attention.initialState()]
    while result.tokens.count < maxLength {
      let step = attention.step(states, tokens: [result.tokens.last ?? attention.sos])
      states = step.states
      result.passes += 1
      let (id, logProb) = attention.best(step.logProbs[...])
      result.logProbs.append(logProb)
      guard id != attention.eos else {
        result.ended = true
        break
      }
      result.tokens.append(id)
    }
    return result
  }
}
