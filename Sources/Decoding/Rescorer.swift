import Foundation

/// How rescoring weighs (§4.5 of the specification).
public struct RescoringOptions: Hashable, Sendable {
  /// w_r: weight of the attention decoder.
  public var attentionWeight: Double
  /// ρ: share of the reverse decoder in the attention score.
  public var reverseWeight: Double
  /// λ: weight of the first pass, its biases included.
  public var ctcWeight: Double
  /// β: weight of the language model.
  public var languageWeight: Double
  /// η: nats for each token.
  public var lengthBonus: Double

  public init(
    attentionWeight: Double = 1, reverseWeight: Double = 0, ctcWeight: Double = 0.5,
    languageWeight: Double = 0, lengthBonus: Double = 0
  ) {
    self.attentionWeight = attentionWeight
    self.reverseWeight = reverseWeight
    self.ctcWeight = ctcWeight
    self.languageWeight = languageWeight
    self.lengthBonus = lengthBonus
  }

  /// Throws if an option is out of its range.
  public func validate() throws(SearchOptionError) {
    for (option, weight) in [
      ("attention weight", attentionWeight), ("CTC weight", ctcWeight),
      ("language model weight", languageWeight),
    ] {
      try SearchOptionError.check(
        weight >= 0 && weight.isFinite, option, weight, "at least 0")
    }
    try SearchOptionError.check(
      (0...1).contains(reverseWeight), "reverse weight", reverseWeight, "0…1")
    try SearchOptionError.check(lengthBonus.isFinite, "length bonus", lengthBonus, "a number")
  }
}

/// A hypothesis with the scores of the second pass.
public struct RescoredHypothesis: Equatable, Sendable {
  public var hypothesis: Hypothesis
  /// S_l: ln p of the left-to-right decoder, eos included; nil if it was not asked.
  public var leftScore: Double?
  /// S_r: ln p of the reverse decoder, eos included; nil if it was not asked.
  public var rightScore: Double?
  /// ln p of the language model before its weight; nil if it was not asked.
  public var languageScore: Double?
  /// Probability of each token, of the decoders that were asked; empty if none was.
  public var tokenConfidences: [Double]
  /// exp of the mean attention log-probability over tokens and eos; nil if no decoder was asked.
  public var confidence: Double?
  /// S: everything weighted; what hypotheses are ranked by.
  public var total: Double
}

/// Attention rescoring of an n-best list (§4.5 of the specification; U2, Zhang et al. 2020; U2++,
/// Wu et al. 2021): `S = w_r·((1−ρ)·S_l + ρ·S_r) + λ·S_ctc + β·S_lm + η·n`.
///
/// Each decoder that has a weight reads all hypotheses in one parallel pass; the others are not
/// touched.
public struct Rescorer: Sendable {
  public let options: RescoringOptions

  public init(_ options: RescoringOptions = .init()) {
    precondition((0...1).contains(options.reverseWeight))
    self.options = options
  }

  /// - Returns: the hypotheses, best first; equal ones keep their order.
  public func rescore(
    _ hypotheses: [Hypothesis], _ attention: some AttentionScorer,
    languageModel: (any SequenceLanguageModel)? = nil
  ) -> [RescoredHypothesis] {
    guard !hypotheses.isEmpty else { return [] }
    let sequences = hypotheses.map(\.ids)
    let rho = options.reverseWeight
    let asksAttention = options.attentionWeight != 0
    precondition(rho == 0 || !asksAttention || attention.hasReverse, "no reverse decoder")
    let left = asksAttention && rho < 1 ? attention.score(sequences, .left) : nil
    let right = asksAttention && rho > 0 ? attention.score(sequences, .right) : nil
    let language = options.languageWeight != 0 ? languageModel?.logProbs(of: sequences) : nil
    let rescored = hypotheses.indices.map {
      combine(
        hypotheses[$0], left: left?[$0], right: right?[$0], language: language?[$0])
    }
    return rescored.enumerated()
      .sorted { ($0.element.total, $1.offset) > ($1.element.total, $0.offset) }
      .map(\.element)
  }

  /// - Parameters:
  ///   - left: log-probabilities of the tokens and eos. [n + 1]
  ///   - right: the same of the reverse decoder. [n + 1]
  private func combine(
    _ hypothesis: Hypothesis, left: [Float]?, right: [Float]?, language: Double?
  ) -> RescoredHypothesis {
    let sums = [left, right].map { $0.map { $0.reduce(0) { $0 + Double($1) } } }
    let rho = options.reverseWeight
    let attention = (1 - rho) * (sums[0] ?? 0) + rho * (sums[1] ?? 0)
    let length = hypothesis.tokens.count
    let asked = [left, right].compactMap { $0 }
    let confidences = (asked.isEmpty ? 0..<0 : 0..<length).map { token in
      asked.reduce(0) { $0 + exp(Double($1[token])) } / Double(asked.count)
    }
    return RescoredHypothesis(
      hypothesis: hypothesis, leftScore: sums[0], rightScore: sums[1], languageScore: language,
      tokenConfidences: confidences,
      confidence: asked.isEmpty ? nil : exp(attention / Double(length + 1)),
      total: options.attentionWeight * attention + options.ctcWeight * hypothesis.total
        + options.languageWeight * (language ?? 0) + options.lengthBonus * Double(length))
  }
}
