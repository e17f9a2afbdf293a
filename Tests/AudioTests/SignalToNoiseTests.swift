import Audio
import Foundation
import TestSupport
import Testing

@Suite struct SignalToNoiseTests {
  /// Bursts of a tone of power 0.02 for 0.5 s in every second, over noise of a given power.
  private static func speech(noise: Float, seconds: Int = 10) -> [Float] {
    var generator = SeededGenerator(seed: 3)
    return (0..<16_000 * seconds).map { index in
      let isTone = index / 8_000 % 2 == 0
      let tone: Float = isTone ? 0.2 * sin(Float(index % 1_600) * 2 * .pi / 16) : 0
      return tone + generator.normal(noise.squareRoot())
    }
  }

  private static func decibels(_ samples: [Float], portion: Int = 16_000) -> Double? {
    var estimate = SignalToNoise(sampleRate: 16_000)
    for start in stride(from: 0, to: samples.count, by: portion) {
      estimate.accept(Array(samples[start..<min(samples.count, start + portion)]))
    }
    return estimate.decibels
  }

  @Test(arguments: [(Float(0.0002), 20.0), (0.002, 10), (0.02, 0)])
  func ratioOfToneToNoise(_ noise: Float, _ expected: Double) throws {
    #expect(abs(try #require(Self.decibels(Self.speech(noise: noise))) - expected) < 2)
  }

  @Test func portionsDoNotMatter() {
    let samples = Self.speech(noise: 0.002, seconds: 3)
    #expect(Self.decibels(samples) == Self.decibels(samples, portion: 77))
  }

  @Test func nothingToTell() {
    #expect(Self.decibels([Float](repeating: 0.1, count: 3_199)) == nil)
    #expect(Self.decibels([Float](repeating: 0, count: 16_000)) == nil)
    // No noise at all is held to 80 dB.
    #expect(Self.decibels(Self.speech(noise: 0)) == 80)
  }
}
