import Audio
import Foundation
import Testing

@Suite struct ResamplerTests {
  static let rates = [1000, 8000, 11_025, 12_345, 22_050, 44_100, 48_000, 96_000, 192_000, 768_000]

  func resample(_ samples: [Float], _ rate: Int, pieces: [Int]) throws -> [Float] {
    let resampler = try Resampler(inputRate: rate)
    var output: [Float] = []
    var position = 0
    for piece in pieces where position < samples.count {
      let end = min(samples.count, position + piece)
      output += resampler.process(Array(samples[position..<end]))
      position = end
    }
    output += resampler.process(Array(samples[position...]))
    return output + resampler.finish()
  }

  @Test(arguments: rates)
  func samplesDoNotDependOnTheSplit(rate: Int) throws {
    let samples = noise(min(rate, 60_000), seed: UInt64(rate))
    let whole = try resample(samples, rate, pieces: [])
    let single = try resample(samples, rate, pieces: Array(repeating: 1, count: samples.count))
    #expect(single == whole)
    var generator = SplitMix64(state: 7)
    for limit in [3, 100, 5000] {
      let pieces = (0..<2000).map { _ in Int.random(in: 0...limit, using: &generator) }
      #expect(try resample(samples, rate, pieces: pieces) == whole)
    }
  }

  @Test(arguments: rates)
  func lengthIsTheInputsLength(rate: Int) throws {
    for count in [0, 1, 2, 37, 399, 400, 12_345, 100_001] {
      let output = try resample(noise(count, seed: 1), rate, pieces: [])
      let expected = (Double(count) * 16_000 / Double(rate)).rounded()
      #expect(abs(Double(output.count) - expected) <= 1, "\(count) samples at \(rate) Hz")
    }
  }

  @Test(arguments: [8000, 22_050, 44_100, 48_000])
  func sineStaysTheIdealSine(rate: Int) throws {
    let output = try resample(sine(1000, rate: rate, count: rate * 2), rate, pieces: [])
    let ideal = sine(1000, rate: 16_000, count: 32_000)
    let error = maximumDifference(Array(output[1000..<31_000]), Array(ideal[1000..<31_000]))
    #expect(error < 1e-4, "\(rate) Hz: \(error)")
  }

  @Test func whatLiesAboveTheNewRateIsRemoved() throws {
    let output = try resample(sine(11_000, rate: 48_000, count: 96_000), 48_000, pieces: [])
    #expect(output[1000..<31_000].allSatisfy { abs($0) < 1e-4 })
  }

  @Test func equalRatesPassUntouched() throws {
    let samples: [Float] = [0x1p-149, -0.0, 1, -3e38, 0.1]
    let resampler = try Resampler(inputRate: 16_000)
    #expect(resampler.process(samples).map(\.bitPattern) == samples.map(\.bitPattern))
    #expect(resampler.finish().isEmpty)
  }

  @Test(arguments: [Int.min, -1, 0, 999, 768_001, .max])
  func absurdRatesAreRefused(rate: Int) throws {
    #expect(throws: AudioError.unsupportedRate(file: "audio", rate: rate)) {
      _ = try Resampler(inputRate: rate)
    }
    #expect(throws: AudioError.self) { _ = try Resampler(inputRate: 16_000, outputRate: rate) }
  }
}
