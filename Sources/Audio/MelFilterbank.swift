import Foundation

/// Triangular mel filters over the bins of a power spectrum, kept sparse.
struct MelFilterbank: Sendable {
  /// First bin and weights of each filter.
  struct Filter: Sendable {
    let firstBin: Int
    let weights: [Float]
  }

  let filters: [Filter]

  /// NeMo's (librosa's) filters: Slaney mel scale and area normalisation, triangles linear in Hz.
  static func slaney(count: Int, fftLength: Int, sampleRate: Int) -> MelFilterbank {
    let top = hertzToSlaney(Double(sampleRate) / 2)
    let corners = (0..<count + 2).map { slaneyToHertz(top * Double($0) / Double(count + 1)) }
    let binWidth = Double(sampleRate) / Double(fftLength)
    return MelFilterbank(
      filters: (0..<count).map { index in
        let (left, centre, right) = (corners[index], corners[index + 1], corners[index + 2])
        return filter(bins: fftLength / 2 + 1) { bin in
          let hertz = Double(bin) * binWidth
          let height = min((hertz - left) / (centre - left), (right - hertz) / (right - centre))
          return max(0, height) * 2 / (right - left)
        }
      })
  }

  /// Kaldi's filters: HTK mel scale from 20 Hz to half the sample rate, triangles linear in mel,
  /// no normalisation; the bin at half the sample rate is not used.
  static func kaldi(count: Int, fftLength: Int, sampleRate: Int) -> MelFilterbank {
    func mel(_ hertz: Double) -> Double { 1127 * log(1 + hertz / 700) }
    let low = mel(20)
    let step = (mel(Double(sampleRate) / 2) - low) / Double(count + 1)
    let binWidth = Double(sampleRate) / Double(fftLength)
    return MelFilterbank(
      filters: (0..<count).map { index in
        let (left, centre) = (low + Double(index) * step, low + Double(index + 1) * step)
        let right = centre + step
        return filter(bins: fftLength / 2) { bin in
          let position = mel(Double(bin) * binWidth)
          guard position > left, position < right else { return 0 }
          return position <= centre
            ? (position - left) / (centre - left) : (right - position) / (right - centre)
        }
      })
  }

  /// Energies of all filters. power: at least as many bins as the filters reach.
  func apply(_ power: UnsafePointer<Float>, into energies: UnsafeMutablePointer<Float>) {
    for (index, filter) in filters.enumerated() {
      var sum: Float = 0
      let bins = power + filter.firstBin
      for offset in filter.weights.indices { sum += bins[offset] * filter.weights[offset] }
      energies[index] = sum
    }
  }

  private static func filter(bins: Int, weight: (Int) -> Double) -> Filter {
    let weights = (0..<bins).map { Float(weight($0)) }
    guard let first = weights.firstIndex(where: { $0 > 0 }),
      let last = weights.lastIndex(where: { $0 > 0 })
    else { return Filter(firstBin: 0, weights: []) }
    return Filter(firstBin: first, weights: Array(weights[first...last]))
  }

  // Slaney's scale: linear below 1000 Hz (15 mel), logarithmic above.
  private static let hertzPerMel = 200.0 / 3
  private static let logStep = log(6.4) / 27

  private static func hertzToSlaney(_ hertz: Double) -> Double {
    hertz < 1000 ? hertz / hertzPerMel : 15 + log(hertz / 1000) / logStep
  }

  private static func slaneyToHertz(_ mel: Double) -> Double {
    mel < 15 ? mel * hertzPerMel : 1000 * exp(logStep * (mel - 15))
  }
}
