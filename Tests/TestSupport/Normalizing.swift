public import Audio
import Tensor

extension FeatureNormalizerStream {
  /// Frames in an array, for tests.
  public mutating func normalize(_ frames: inout [Float], mels: Int) {
    frames.withUnsafeMutableBufferPointer { frames in
      guard let start = frames.baseAddress else { return }
      normalize(MatrixView(start, rows: frames.count / mels, columns: mels))
    }
  }
}
