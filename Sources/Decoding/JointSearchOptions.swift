/// How a joint attention/CTC search weighs and where it stops (§4.4 of the specification; ESPnet).
public struct JointSearchOptions: Hashable, Sendable {
  /// Hypotheses kept at each length.
  public var beamSize: Int
  /// λ: weight of the CTC prefix scores; the decoder weighs 1 − λ.
  public var ctcWeight: Double
  /// η: nats for each token and for eos.
  public var lengthBonus: Double
  /// CTC and biases score only the best `preBeamRatio` · `beamSize` tokens of the decoder, and eos;
  /// 0 for all tokens. Without attention (λ = 1) all tokens are scored.
  public var preBeamRatio: Double
  /// Besides those of the pre-beam, tokens at least this probable in some frame are scored, in
  /// nats; nil for none. A weak decoder would never propose what CTC hears.
  public var ctcProposals: Float?
  /// Most tokens as a share of the encoder frames; 0 for as many as frames, and end detection.
  public var maxLengthRatio: Double
  /// Fewest tokens as a share of the encoder frames.
  public var minLengthRatio: Double
  /// Finished hypotheses wanted: the search stops once the best so many cannot change any more.
  public var nBest: Int

  public init(
    beamSize: Int = 10, ctcWeight: Double = 0.3, lengthBonus: Double = 0,
    preBeamRatio: Double = 1.5, ctcProposals: Float? = nil, maxLengthRatio: Double = 0,
    minLengthRatio: Double = 0,
    nBest: Int = 10
  ) {
    self.beamSize = beamSize
    self.ctcWeight = ctcWeight
    self.lengthBonus = lengthBonus
    self.preBeamRatio = preBeamRatio
    self.ctcProposals = ctcProposals
    self.maxLengthRatio = maxLengthRatio
    self.minLengthRatio = minLengthRatio
    self.nBest = nBest
  }

  /// Throws if an option is out of its range.
  public func validate() throws(SearchOptionError) {
    try SearchOptionError.check(beamSize >= 1, "beam size", beamSize, "at least 1")
    try SearchOptionError.check(
      ctcWeight >= 0 && ctcWeight <= 1, "CTC weight", ctcWeight, "0…1")
    try SearchOptionError.check(lengthBonus.isFinite, "length bonus", lengthBonus, "a number")
    try SearchOptionError.check(
      preBeamRatio == 0 || preBeamRatio >= 1 && preBeamRatio.isFinite, "pre-beam ratio",
      preBeamRatio, "0 or at least 1")
    try SearchOptionError.check(
      maxLengthRatio >= 0 && maxLengthRatio.isFinite, "longest length ratio", maxLengthRatio,
      "at least 0")
    try SearchOptionError.check(
      minLengthRatio >= 0 && minLengthRatio.isFinite, "least length ratio", minLengthRatio,
      "at least 0")
    try SearchOptionError.check(nBest >= 1, "n-best size", nBest, "at least 1")
  }

  /// Most tokens of a text over `frames` encoder frames.
  func maxLength(_ frames: Int) -> Int {
    maxLengthRatio == 0 ? frames : max(1, Int(maxLengthRatio * Double(frames)))
  }
}
