public import Tensor

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
  public mutating func normalize(_ frames: MatrixView) {
    precondition(frames.columns == mels)
    switch normalizer {
    case .none: return
    case .global(let mean, let inverseDeviation):
      for row in 0..<frames.rows {
        let frame = frames.pointer + row * frames.stride
        for mel in 0..<mels { frame[mel] = (frame[mel] - mean[mel]) * inverseDeviation[mel] }
      }
    case .perFeature:
      for row in 0..<frames.rows { observe(frames.pointer + row * frames.stride) }
      for mel in 0..<mels {
        let deviation = count > 1 ? (scatter[mel] / (count - 1)).squareRoot() : 0
        let scale = 1 / (deviation + 1e-5)
        for row in 0..<frames.rows {
          let value = frames.pointer + row * frames.stride + mel
          value.pointee = Float((Double(value.pointee) - mean[mel]) * scale)
        }
      }
    }
  }

  private mutating func observe(_ frame: UnsafePointer<Float>) {
    count += 1
    for mel in 0..<mels {
      let value = Double(frame[mel])
      let difference = value - mean[mel]
      mean[mel] += difference / count
      scatter[mel] += difference * (value - mean[mel])
    }
  }
}
