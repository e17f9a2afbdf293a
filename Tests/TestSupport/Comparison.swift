/// Largest absolute difference of two equally long sequences.
public func largestDifference(_ a: [Float], _ b: [Float]) -> Float {
  precondition(a.count == b.count, "\(a.count) against \(b.count) numbers")
  var largest: Float = 0
  for index in a.indices {
    let difference = abs(a[index] - b[index])
    // A NaN must not hide behind a comparison that is false.
    guard difference.isFinite else { return .infinity }
    largest = max(largest, difference)
  }
  return largest
}
