import Audio
import Foundation
import Tensor
import TestSupport
import Testing

struct SileroVADTests {
  private static let file = Places.package + "/models/silero-vad/silero_vad_16k.safetensors"
  private static let golden = Places.shared + "/goldens/silero-vad-2035-147961-0005.tsv"

  private func probabilities(_ samples: [Float], parts: [Int]? = nil) throws -> [Float] {
    var stream = SileroVADStream(try SileroVAD(path: Self.file))
    var result: [Float] = []
    var rest = samples[...]
    for part in parts ?? [samples.count] {
      stream.accept(rest.prefix(part), into: &result)
      rest = rest.dropFirst(part)
    }
    stream.accept(rest, into: &result)
    stream.finish(into: &result)
    return result
  }

  /// Bursts of a buzz that changes its pitch, over faint noise.
  private func sound(seconds: Double) -> [Float] {
    var generator = SeededGenerator(seed: 7)
    var phase: Float = 0
    return (0..<Int(seconds * 16_000)).map { index in
      let time = Float(index) / 16_000
      phase += (120 + 30 * sinf(5 * time)) / 16_000
      let buzz = (phase - phase.rounded()) * (sinf(4 * time) > 0 ? 0.4 : 0)
      return buzz + generator.normal(0.002)
    }
  }

  @Test(.enabled(if: Places.hasShared, "../shared/goldens is not here"))
  func equalsTheGolden() throws {
    let golden = try String(contentsOfFile: Self.golden, encoding: .utf8)
      .split(separator: "\n").map { Float($0)! }
    let silence = [Float](repeating: 0, count: 16_000)
    var samples = silence
    let reader = try AudioFileReader(path: Places.shared + "/goldens/2035-147961-0005.flac")
    while true {
      let part = try reader.read(16_000)
      if part.isEmpty { break }
      samples += part
    }
    let found = try probabilities(samples + silence)
    let difference = largestDifference(found, golden)
    #expect(difference < 1e-4)

    // Speech between two silences: the speaker begins half a second into the recording.
    #expect(found.firstIndex { $0 >= 0.5 } == 48)
    let last = try #require(found.lastIndex { $0 >= 0.35 })
    #expect((samples.count - 12_000...samples.count + 2_000).contains(last * 512))
  }

  @Test func splitsDoNotMatter() throws {
    let samples = sound(seconds: 3.3)
    let whole = try probabilities(samples)
    #expect(whole.count == (samples.count + 511) / 512)
    #expect(try probabilities(samples, parts: Array(repeating: 1, count: 2_000)) == whole)
    #expect(try probabilities(samples, parts: Array(repeating: 512, count: 50)) == whole)
    var generator = SeededGenerator(seed: 1)
    let parts = (0..<200).map { _ in Int.random(in: 0...700, using: &generator) }
    #expect(try probabilities(samples, parts: parts) == whole)
  }

  @Test func streamsAreValuesAndBeginAgain() throws {
    let detector = try SileroVAD(path: Self.file)
    let samples = sound(seconds: 2)
    var stream = SileroVADStream(detector)
    var before: [Float] = []
    stream.accept(samples[..<10_000], into: &before)
    var copy = stream
    var (one, other): ([Float], [Float]) = ([], [])
    stream.accept(samples[10_000...], into: &one)
    copy.accept(samples[10_000...], into: &other)
    #expect(one == other)
    stream.finish(into: &one)
    var again: [Float] = []
    stream.accept(samples, into: &again)
    stream.finish(into: &again)
    #expect(again == before + one)
  }

  @Test func samplesThatAreNotFiniteDoNotSpoilTheRest() throws {
    var samples = sound(seconds: 2)
    let clean = try probabilities(Array(samples[1_024...]))
    samples[100] = .nan
    samples[101] = .infinity
    let found = try probabilities(samples)
    #expect(found.allSatisfy { (0...1).contains($0) })
    #expect(largestDifference(Array(found.suffix(10)), Array(clean.suffix(10))) < 0.05)
  }

  @Test func otherWeightsAreRefused() {
    #expect(throws: WeightError.self) {
      try SileroVAD(path: Places.shippedModel + "/model.safetensors")
    }
  }
}
