import Foundation

/// Numbers as reports write them.
enum Figures {
  /// A rate of 0…1 in %, two decimals: `6.58`.
  static func percent(_ rate: Double) -> String { fixed(100 * rate, 2) }

  /// `(5.97 to 7.25)`.
  static func range(_ interval: ConfidenceInterval) -> String {
    "(\(percent(interval.lower)) to \(percent(interval.upper)))"
  }

  /// As `percent`, with its sign.
  static func signed(_ rate: Double) -> String { (rate < 0 ? "" : "+") + percent(rate) }

  static func fixed(_ value: Double, _ decimals: Int) -> String {
    String(format: "%.\(decimals)f", value)
  }

  /// Without needless zeros: `95`, `97.5`.
  static func short(_ value: Double) -> String {
    String(format: "%g", (value * 1e6).rounded() / 1e6)
  }

  static func probability(_ value: Double) -> String {
    value < 0.0001 && value > 0 ? "< 0.0001" : fixed(value, 4)
  }
}
