/// A token of a given text at its place in the audio.
public struct AlignedToken: Equatable, Sendable {
  /// Class of the CTC head.
  public var id: Int
  /// Encoder frames that the best path gives to the token; at least one.
  public var frames: Range<Int>
  /// Sum of the token's log-probabilities over `frames`.
  public var logProb: Double
  /// Mean of the token's probabilities over `frames`, 0…1.
  public var posterior: Double

  public init(id: Int, frames: Range<Int>, logProb: Double, posterior: Double) {
    self.id = id
    self.frames = frames
    self.logProb = logProb
    self.posterior = posterior
  }
}

/// Why a text cannot be aligned.
public enum AlignmentError: Error, Equatable, CustomStringConvertible {
  /// Each token needs a frame, and a token that repeats the one before it needs another.
  case tooShort(frames: Int, needed: Int)
  /// Every path that spells the text has probability zero.
  case impossible

  public var description: String {
    switch self {
    case .tooShort(let frames, let needed):
      "the audio is too short for the text: \(frames) encoder frames, expected at least "
        + "\(needed); is it the text of this audio?"
    case .impossible:
      "the text cannot be aligned: the model gives it probability zero everywhere"
    }
  }
}
