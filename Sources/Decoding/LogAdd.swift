import Foundation

/// ln(eᵃ + eᵇ), the ⊕ of the CTC recursions; −∞ stands for impossible.
@inline(__always)
func logAdd(_ a: Double, _ b: Double) -> Double {
  let (low, high) = a < b ? (a, b) : (b, a)
  let difference = low - high
  // Below, the smaller term is lost in rounding; −∞ − −∞ is no number and fails the test too.
  return difference > -40 ? high + log1p(exp(difference)) : high
}
