/// Rounds the weights of one output channel to multiples of a scale, -127 to 127 of them.
enum Int8Rounding {
  /// The scale with the least squared error, of those that clip nothing or the largest weights a
  /// little.
  static func scale(_ weights: UnsafeBufferPointer<Float>) -> Float {
    let largest = weights.reduce(0) { max($0, abs($1)) }
    // Below this the scale itself would lose precision; nobody hears such weights.
    guard largest > 1e-30 else { return 0 }
    var best = (scale: Float(0), error: Float.infinity)
    for percent in 70...100 {
      let scale = largest * Float(percent) / (100 * 127)
      var error: Float = 0
      for weight in weights {
        let difference = weight - scale * Float(round(weight, scale))
        error += difference * difference
      }
      if error < best.error { best = (scale, error) }
    }
    return best.scale
  }

  static func round(_ weight: Float, _ scale: Float) -> Int8 {
    guard scale > 0 else { return 0 }
    return Int8(min(max((weight / scale).rounded(.toNearestOrEven), -127), 127))
  }
}
