import Audio
import Tensor

/// Where a stream has speech, by Silero VAD, in encoder frames.
struct VoiceActivity {
  /// A step below this probability has no speech.
  private static let threshold: Float = 0.35
  private static let samplesPerFrame = 640

  private var stream: SileroVADStream
  /// Probabilities of steps `first…`.
  private var probabilities: [Float] = []
  private var first = 0

  init(_ detector: SileroVAD, scratch: ScratchArena) {
    stream = SileroVADStream(detector, scratch: scratch)
  }

  mutating func accept(_ samples: some Collection<Float>) {
    stream.accept(samples, into: &probabilities)
  }

  /// Whether no step that ends in a frame has speech. Those steps are there whenever a frame is
  /// decoded, even without look-ahead, so portions of the audio change nothing; where none is, the
  /// stream ends.
  func isSilent(_ frame: Int) -> Bool {
    let steps = Self.steps(frame)
    return probabilities.indices.clamped(to: steps.lowerBound - first..<steps.upperBound - first)
      .allSatisfy { probabilities[$0] < Self.threshold }
  }

  /// Forgets what is before a frame.
  mutating func drop(before frame: Int) {
    let count = min(max(0, Self.steps(frame).lowerBound - first), probabilities.count)
    probabilities.removeFirst(count)
    first += count
  }

  private static func steps(_ frame: Int) -> Range<Int> {
    frame * samplesPerFrame / SileroVAD.stepSamples..<(frame + 1) * samplesPerFrame
      / SileroVAD.stepSamples
  }
}
