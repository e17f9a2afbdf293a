import Foundation

/// Normalises log-mel frames per mel bin.
public enum FeatureNormalizer: Sendable {
  case none
  /// `(x - mean) · inverseDeviation`, each [mels].
  case global(mean: [Float], inverseDeviation: [Float])
  /// By the mean and the unbiased standard deviation (plus 1e-5) of the frames themselves.
  case perFeature
}

/// The normalisation of one stream.
///
/// With `perFeature` the statistics are those of all frames the stream has passed so far. That is
/// the whole utterance when it is normalised at once; a block of a live stream cannot know the
/// frames after it, and frames that were normalised once are not changed.
public struct FeatureNormalizerStream {
  private let normalizer: FeatureNormalizer
  private let mels: Int
  private var count = 0.0
  private var mean: [Double]
  /// Sum of squared differences from the mean (Welford 1962).
  private var scatter: [Double]

  public init(_ normalizer: FeatureNormalizer, mels: Int) {
    self.normalizer = normalizer
    self.mels = mels
    mean = Array(repeating: 0, count: mels)
    scatter = Array(repeating: 0, count: mels)
  }

  /// Normalises frames [n, mels] in place.
  public mutating func normalize(_ frames: inout [Float]) {
    precondition(frames.count % mels == 0)
    switch normalizer {
    case .none: return
    case .global(let mean, let inverseDeviation):
      for start in stride(from: 0, to: frames.count, by: mels) {
        for mel in 0..<mels {
          frames[start + mel] = (frames[start + mel] - mean[mel]) * inverseDeviation[mel]
        }
      }
    case .perFeature:
      for start in stride(from: 0, to: frames.count, by: mels) { observe(frames, at: start) }
      for mel in 0..<mels {
        let deviation = count > 1 ? (scatter[mel] / (count - 1)).squareRoot() : 0
        let scale = 1 / (deviation + 1e-5)
        for index in stride(from: mel, to: frames.count, by: mels) {
          frames[index] = Float((Double(frames[index]) - mean[mel]) * scale)
        }
      }
    }
  }

  private mutating func observe(_ frames: [Float], at start: Int) {
    count += 1
    for mel in 0..<mels {
      let value = Double(frames[start + mel])
      let difference = value - mean[mel]
      mean[mel] += difference / count
      scatter[mel] += difference * (value - mean[mel])
    }
  }
}
