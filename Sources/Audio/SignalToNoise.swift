import Foundation

/// Estimates the signal-to-noise ratio of speech from its energy alone.
///
/// The mean power of frames of 20 ms at their 10th percentile is taken for noise (pauses), that at
/// the 95th for speech with noise. It ranks recordings; it is no measurement, and reverberation or
/// music look like speech.
public struct SignalToNoise {
  private static let frameSeconds = 0.02
  /// Frames needed to tell, 0.2 s.
  private static let fewestFrames = 10

  private let frameLength: Int
  private var powers: [Float] = []
  private var sum: Float = 0
  private var count = 0

  /// - Parameter sampleRate: Hz.
  public init(sampleRate: Int) { frameLength = Int(Self.frameSeconds * Double(sampleRate)) }

  /// Takes samples, -1…1, in portions of any length.
  public mutating func accept(_ samples: [Float]) {
    for sample in samples {
      sum += sample * sample
      count += 1
      guard count == frameLength else { continue }
      powers.append(sum / Float(frameLength))
      (sum, count) = (0, 0)
    }
  }

  /// dB, held to -10…80; nil for too little audio, or without any sound.
  public var decibels: Double? {
    guard powers.count >= Self.fewestFrames else { return nil }
    let sorted = powers.sorted()
    let noise = Double(sorted[sorted.count / 10])
    let speech = Double(sorted[sorted.count * 95 / 100])
    guard speech > 0 else { return nil }
    let ratio = max(speech - noise, 1e-12) / max(noise, 1e-12)
    return min(80, max(-10, 10 * log10(ratio)))
  }
}
