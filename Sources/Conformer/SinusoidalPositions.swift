import Foundation
import Tensor

/// Absolute positions as sinusoids, sine and cosine interleaved, base 10000 (Vaswani et al. 2017).
struct SinusoidalPositions: Sendable {
  let width: Int
  /// The first positions, computed once; later ones are computed when they are asked for.
  private let table: FloatStorage  // [256, width]

  init(width: Int) {
    self.width = width
    table = FloatStorage(count: 256 * width)
    for position in 0..<256 {
      Self.encode(position, width: width, into: table.pointer + position * width)
    }
  }

  /// Adds `PE(position)` to `row`: [width].
  func add(_ position: Int, to row: UnsafeMutablePointer<Float>) {
    if position < table.count / width {
      let encoding = table.pointer + position * width
      for index in 0..<width { row[index] += encoding[index] }
    } else {
      withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { encoding in
        Self.encode(position, width: width, into: encoding.baseAddress!)
        for index in 0..<width { row[index] += encoding[index] }
      }
    }
  }

  /// Sinusoids of one position, which may be negative. row: [width]
  static func encode(_ position: Int, width: Int, into row: UnsafeMutablePointer<Float>) {
    for index in stride(from: 0, to: width, by: 2) {
      let angle = Double(position) * exp(-Double(index) * log(10_000) / Double(width))
      row[index] = Float(sin(angle))
      if index + 1 < width { row[index + 1] = Float(cos(angle)) }
    }
  }
}
