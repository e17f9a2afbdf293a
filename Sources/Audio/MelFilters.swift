import Foundation
import Tensor

/// Triangular mel filters over the bins of a power spectrum, as a linear layer: the products with
/// zeros cost less than a loop over each filter's few bins.
enum MelFilters {
  /// NeMo's (librosa's) filters: Slaney mel scale and area normalisation, triangles linear in Hz.
  static func slaney(count: Int, fftLength: Int, sampleRate: Int) -> Linear {
    let top = hertzToSlaney(Double(sampleRate) / 2)
    let corners = (0..<count + 2).map { slaneyToHertz(top * Double($0) / Double(count + 1)) }
    let binWidth = Double(sampleRate) / Double(fftLength)
    return layer(filters: count, bins: fftLength / 2 + 1) { index, bin in
      let (left, centre, right) = (corners[index], corners[index + 1], corners[index + 2])
      let hertz = Double(bin) * binWidth
      let height = min((hertz - left) / (centre - left), (right - hertz) / (right - centre))
      return max(0, height) * 2 / (right - left)
    }
  }

  /// Kaldi's filters: HTK mel scale from 20 Hz to half the sample rate, triangles linear in mel,
  /// no normalisation; the bin at half the sample rate is not used.
  static func kaldi(count: Int, fftLength: Int, sampleRate: Int) -> Linear {
    func mel(_ hertz: Double) -> Double { 1127 * log(1 + hertz / 700) }
    let low = mel(20)
    let step = (mel(Double(sampleRate) / 2) - low) / Double(count + 1)
    let binWidth = Double(sampleRate) / Double(fftLength)
    return layer(filters: count, bins: fftLength / 2 + 1) { index, bin in
      let (left, centre) = (low + Double(index) * step, low + Double(index + 1) * step)
      let right = centre + step
      let position = mel(Double(bin) * binWidth)
      guard bin < fftLength / 2, position > left, position < right else { return 0 }
      return position <= centre
        ? (position - left) / (centre - left) : (right - position) / (right - centre)
    }
  }

  private static func layer(
    filters: Int, bins: Int, weight: (Int, Int) -> Double
  ) -> Linear {
    let weights = FloatStorage(count: filters * bins)
    for filter in 0..<filters {
      for bin in 0..<bins { weights.pointer[filter * bins + bin] = Float(weight(filter, bin)) }
    }
    return Linear(weight: weights, bias: nil, inputs: bins)
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
