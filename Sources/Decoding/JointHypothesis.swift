/// A finished text of a joint attention/CTC search.
public struct JointHypothesis: Equatable, Sendable {
  /// Tokens, without sos and eos.
  public var tokens: [Int]
  /// ln p_att(tokens, eos) of the decoder; 0 if λ = 1 left it out.
  public var attentionScore: Double
  /// ψ(tokens·eos) = ln P(tokens | audio) of CTC; 0 if λ = 0 left it out.
  public var ctcScore: Double
  /// Score of each bias before its weight, in the order of the search's biases.
  public var biasScores: [Double]
  /// Everything weighted; what hypotheses are ranked by.
  public var total: Double
}

/// What a joint search has found.
public struct JointResult: Sendable {
  /// The best first; empty only if no text at all is possible.
  public var hypotheses: [JointHypothesis]
  /// How many times the decoder was run over a batch.
  public var passes: Int
}
