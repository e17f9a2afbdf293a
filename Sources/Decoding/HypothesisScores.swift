/// What speaks for a text, each in nats and before its weight. Acoustic and language scores stay
/// apart, so that whoever has the list can weigh them anew.
public struct HypothesisScores: Equatable, Sendable {
  /// ln P(text | audio) of CTC.
  public var ctc: Double
  /// ln p(text) of the left-to-right attention decoder; nil if it was not asked.
  public var attention: Double?
  /// The same of the right-to-left one.
  public var reverseAttention: Double?
  /// Tokens of the text, each of which earns the length bonus.
  public var tokenCount: Int
  /// Hot words and language models of the search, in its order.
  public var biases: [NamedScore]
  /// ln p(text) of the language model that rescored; nil without one.
  public var rescoringLanguageModel: Double?
  /// Everything weighted; what texts are ranked by.
  public var total: Double

  public struct NamedScore: Equatable, Sendable {
    /// That of the `WeightedBias`.
    public var name: String
    public var score: Double
  }

  /// The scores of a first pass.
  ///
  /// - Parameter biases: those of the search; the ones of weight 0 have no score.
  public init(_ hypothesis: Hypothesis, biases: [WeightedBias]) {
    ctc = hypothesis.ctcScore
    tokenCount = hypothesis.tokens.count
    self.biases = Self.named(hypothesis.biasScores, biases)
    total = hypothesis.total
  }

  public init(_ rescored: RescoredHypothesis, biases: [WeightedBias]) {
    self.init(rescored.hypothesis, biases: biases)
    attention = rescored.leftScore
    reverseAttention = rescored.rightScore
    rescoringLanguageModel = rescored.languageScore
    total = rescored.total
  }

  public init(_ joint: JointHypothesis, biases: [WeightedBias]) {
    ctc = joint.ctcScore
    tokenCount = joint.tokens.count
    attention = joint.attentionScore
    self.biases = Self.named(joint.biasScores, biases)
    total = joint.total
  }

  private static func named(_ scores: [Double], _ biases: [WeightedBias]) -> [NamedScore] {
    zip(biases.lazy.filter { $0.weight != 0 }, scores).map {
      NamedScore(name: $0.name, score: $1)
    }
  }
}
