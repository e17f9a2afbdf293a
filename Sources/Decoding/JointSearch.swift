/// Joint attention/CTC beam search, one token per step (§4.4 of the specification; Watanabe et al.
/// 2017, Hori et al. 2017).
///
/// `score(g·c) = score(g) + (1−λ)·ln p_att(c|g) + λ·(ψ(g·c) − ψ(g)) + Σ weight·bias + η`, eos
/// included. The decoder judges the language, CTC that the text covers the audio once and in order:
/// what makes a lone decoder repeat or skip costs CTC score.
///
/// Unlike ESPnet, eos is always a candidate, not only within the pre-beam: a decoder that loops
/// gives eos no chance, and CTC must be able to end it. A step costs one batched decoder step and
/// O(candidates · T) for CTC.
public struct JointSearch: Sendable {
  public let options: JointSearchOptions
  private let biases: [WeightedBias]

  /// - Parameter biases: language models (β is the weight) and hot words; those of weight 0 are
  ///   dropped.
  public init(_ options: JointSearchOptions = .init(), biases: [WeightedBias] = []) {
    precondition(options.beamSize >= 1 && options.nBest >= 1)
    precondition((0...1).contains(options.ctcWeight))
    self.options = options
    self.biases = biases.filter { $0.weight != 0 }
  }

  /// - Parameter ctc: of the same utterance as `attention`, with the same numbers of tokens. Its
  ///   frames limit the length even where λ = 0.
  public func search(_ attention: some AttentionScorer, ctc: CTCPrefixScorer) -> JointResult {
    var minLengthRatio = options.minLengthRatio
    var passes = 0
    while true {
      var run = JointSearchRun(
        attention, ctc, options, biases,
        minLength: Int(minLengthRatio * Double(ctc.frames)))
      while run.step() {}
      passes += run.passes
      if !run.finished.isEmpty || minLengthRatio < 0.1 {
        return JointResult(
          hypotheses: Array(run.finished.sorted { $0.total > $1.total }.prefix(options.nBest)),
          passes: passes)
      }
      minLengthRatio -= 0.1
    }
  }
}
