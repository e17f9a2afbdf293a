import Foundation

/// How wide a CTC prefix beam search looks.
public struct CTCPrefixBeamOptions: Hashable, Sendable {
  /// Prefixes kept after each frame.
  public var beamSize: Int
  /// Classes tried per frame, the most probable ones. The blank and the repetition of a prefix's
  /// last token cost nothing and are always tried.
  public var tokensPerFrame: Int
  /// Classes less probable than this are not tried, in nats.
  public var minTokenLogProb: Float
  /// Prefixes worse than the best by more than this are dropped, in nats.
  public var beamThreshold: Double
  /// A frame whose blank is more probable than this is taken for nothing but blank; nil for never.
  public var blankSkip: Float?

  public init(
    beamSize: Int = 10, tokensPerFrame: Int = 10, minTokenLogProb: Float = -.infinity,
    beamThreshold: Double = .infinity, blankSkip: Float? = nil
  ) {
    self.beamSize = beamSize
    self.tokensPerFrame = tokensPerFrame
    self.minTokenLogProb = minTokenLogProb
    self.beamThreshold = beamThreshold
    self.blankSkip = blankSkip
  }

  /// No pruning at all: exact, for short inputs only.
  public static let exact = CTCPrefixBeamOptions(beamSize: .max, tokensPerFrame: .max)

  /// Throws if an option is out of its range.
  public func validate() throws(SearchOptionError) {
    try SearchOptionError.check(beamSize >= 1, "beam size", beamSize, "at least 1")
    try SearchOptionError.check(
      tokensPerFrame >= 1, "tokens per frame", tokensPerFrame, "at least 1")
    try SearchOptionError.check(
      minTokenLogProb <= 0, "least token log-probability", minTokenLogProb, "at most 0")
    try SearchOptionError.check(beamThreshold >= 0, "beam threshold", beamThreshold, "at least 0")
    if let blankSkip {
      try SearchOptionError.check(
        blankSkip > 0 && blankSkip <= 1, "blank skip", blankSkip, "more than 0, at most 1")
    }
  }
}
