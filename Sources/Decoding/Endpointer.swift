/// When an utterance ends, in seconds.
public struct EndpointRules: Hashable, Sendable {
  /// Silence after text that ends an utterance; nil for never.
  public var trailingSilence: Double?
  /// Silence that ends an utterance which has no text, so that whoever waits for somebody to speak
  /// is told; nil for never.
  public var silenceWithoutText: Double?
  /// Length from which an utterance ends before its next word; nil for never.
  public var longestUtterance: Double?
  /// A frame is silent when the probability of the blank is higher than this, unless a detector
  /// of speech judges it.
  public var blankThreshold: Float

  public init(
    trailingSilence: Double? = 1.0, silenceWithoutText: Double? = nil,
    longestUtterance: Double? = 20, blankThreshold: Float = 0.8
  ) {
    self.trailingSilence = trailingSilence
    self.silenceWithoutText = silenceWithoutText
    self.longestUtterance = longestUtterance
    self.blankThreshold = blankThreshold
  }
}

/// Watches the frames of a stream for the ends of utterances.
struct Endpointer: Sendable {
  private let rules: EndpointRules
  private let frameSeconds: Double
  private let logThreshold: Float
  /// Silent frames in a row, up to the frame at hand; fewer if an utterance ended among them.
  private(set) var silentFrames = 0

  init(_ rules: EndpointRules, frameSeconds: Double, logThreshold: Float) {
    self.rules = rules
    self.frameSeconds = frameSeconds
    self.logThreshold = logThreshold
  }

  /// Whether a frame is silent by its blank alone.
  func isBlank(_ blankLogProb: Float) -> Bool { blankLogProb > logThreshold }

  /// Takes a frame and says whether the silence has lasted long enough, this frame included.
  mutating func isSilenceOver(isSilent: Bool, hasText: Bool) -> Bool {
    guard isSilent else {
      silentFrames = 0
      return false
    }
    silentFrames += 1
    let limit = hasText ? rules.trailingSilence : rules.silenceWithoutText
    return limit.map { Double(silentFrames) * frameSeconds >= $0 } ?? false
  }

  /// Begins to count anew: an utterance has ended.
  mutating func reset() { silentFrames = 0 }

  /// Whether an utterance that began at frame `first` is too long to take a word that begins at
  /// `frame`.
  func isTooLong(from first: Int, to frame: Int) -> Bool {
    rules.longestUtterance.map { Double(frame - first) * frameSeconds >= $0 } ?? false
  }
}
