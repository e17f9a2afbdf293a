/// One of the texts that a CTC prefix beam search holds possible.
public struct Hypothesis: Equatable, Sendable {
  /// Tokens with the times of the best alignment.
  public var tokens: [DecodedToken]
  /// ln P(tokens | audio): the log-sum over all alignments that the beam kept, in nats.
  public var ctcScore: Double
  /// Score of each bias before its weight, in nats, in the order of the search's biases.
  public var biasScores: [Double]
  /// `ctcScore` and the weighted biases; what hypotheses are ranked by.
  public var total: Double

  public init(
    tokens: [DecodedToken], ctcScore: Double, biasScores: [Double] = [], total: Double? = nil
  ) {
    self.tokens = tokens
    self.ctcScore = ctcScore
    self.biasScores = biasScores
    self.total = total ?? ctcScore
  }

  /// Classes of the tokens.
  public var ids: [Int] { tokens.map(\.id) }
}
