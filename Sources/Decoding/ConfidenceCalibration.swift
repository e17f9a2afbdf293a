import Foundation

/// Makes of a network's probability the share of words that are right when it says so (Platt 1999):
/// `σ(scale · logit(p) + offset)`.
public struct ConfidenceCalibration: Equatable, Sendable {
  public var scale: Double
  public var offset: Double

  /// The default leaves probabilities as they are.
  public init(scale: Double = 1, offset: Double = 0) {
    self.scale = scale
    self.offset = offset
  }

  /// - Parameter probability: 0…1.
  public func confidence(_ probability: Double) -> Double {
    guard self != ConfidenceCalibration() else { return probability }
    // A network is never certain, and a logit needs a number.
    let p = min(max(probability, 1e-6), 1 - 1e-6)
    return 1 / (1 + exp(-(scale * log(p / (1 - p)) + offset)))
  }
}
