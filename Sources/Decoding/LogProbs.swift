/// CTC log-probabilities of consecutive frames, [frames, vocabulary], in memory owned by the
/// caller.
public struct LogProbs {
  public let frames: Int
  public let vocabulary: Int
  private let base: UnsafePointer<Float>

  /// - Parameter base: frames · vocabulary floats that outlive this value.
  public init(_ base: UnsafePointer<Float>, frames: Int, vocabulary: Int) {
    self.base = base
    self.frames = frames
    self.vocabulary = vocabulary
  }

  /// The log-probabilities of one frame. [vocabulary]
  public subscript(frame: Int) -> UnsafeBufferPointer<Float> {
    precondition(frame >= 0 && frame < frames)
    return UnsafeBufferPointer(start: base + frame * vocabulary, count: vocabulary)
  }
}
