/// Where a rate lies, or a difference of rates.
public struct ConfidenceInterval: Equatable, Sendable {
  public let lower: Double
  public let upper: Double

  /// The percentile interval of a bootstrap: the quantiles (1 - confidence) / 2 and their
  /// opposite, with linear interpolation between draws.
  public init(percentilesOf draws: [Double], confidence: Double) {
    precondition(!draws.isEmpty && confidence > 0 && confidence < 1)
    let sorted = draws.sorted()
    func quantile(_ share: Double) -> Double {
      let place = share * Double(sorted.count - 1)
      let below = Int(place)
      let above = min(below + 1, sorted.count - 1)
      return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
    }
    lower = quantile((1 - confidence) / 2)
    upper = quantile((1 + confidence) / 2)
  }
}
