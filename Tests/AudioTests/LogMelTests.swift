import Audio
import Foundation
import Synchronization
import TestSupport
import Testing

/// Log-mel front ends and normalisation.
struct LogMelTests {
  private static let kinds: [LogMelFrontEnd.Kind] = [.nemo, .kaldi]
  private static let nemo = LogMelFrontEnd(.nemo)
  private static let kaldi = LogMelFrontEnd(.kaldi)

  private func frontEnd(_ kind: LogMelFrontEnd.Kind) -> LogMelFrontEnd {
    kind == .nemo ? Self.nemo : Self.kaldi
  }

  private func speech(_ count: Int) throws -> [Float] {
    try AudioFileReader(path: Places.samples + "/landscape.flac").read(count)
  }

  /// Frames of `samples`, taken in the given portions and then the rest.
  private func frames(
    _ frontEnd: LogMelFrontEnd, _ samples: [Float], portions: [Int] = []
  ) -> [Float] {
    var stream = LogMelStream(frontEnd)
    var frames: [Float] = []
    var rest = samples[...]
    for portion in portions {
      stream.accept(rest.prefix(portion), into: &frames)
      rest = rest.dropFirst(portion)
    }
    stream.accept(rest, into: &frames)
    stream.finish(into: &frames)
    return frames
  }

  private func frameCount(_ kind: LogMelFrontEnd.Kind, _ samples: Int) -> Int {
    switch kind {
    case .nemo: samples == 0 ? 0 : 1 + samples / 160
    case .kaldi: samples < 400 ? 0 : 1 + (samples - 400) / 160
    }
  }

  @Test(arguments: kinds)
  func anyPortionsGiveTheSameBits(_ kind: LogMelFrontEnd.Kind) throws {
    let samples = try speech(7_777)
    let whole = frames(frontEnd(kind), samples)
    #expect(whole.count == 80 * frameCount(kind, samples.count))
    for size in [1, 7, 159, 160, 161, 399, 400, 401, 3_000] {
      let portions = Array(repeating: size, count: samples.count / size)
      let found = frames(frontEnd(kind), samples, portions: portions)
      #expect(found == whole, "portions of \(size)")
    }
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<50 {
      let portions = (0..<60).map { _ in
        Int.random(in: 0...[1, 40, 500].randomElement(using: &generator)!, using: &generator)
      }
      #expect(frames(frontEnd(kind), samples, portions: portions) == whole, "\(portions)")
    }
  }

  /// A frame comes as soon as its last sample is there, which latency depends on.
  @Test(arguments: kinds)
  func framesAreNotHeldBack(_ kind: LogMelFrontEnd.Kind) throws {
    let samples = try speech(2_000)
    var stream = LogMelStream(frontEnd(kind))
    var frames: [Float] = []
    for (index, sample) in samples.enumerated() {
      stream.accept(CollectionOfOne(sample), into: &frames)
      let heard = index + 1
      let expected =
        kind == .nemo ? (heard < 200 ? 0 : 1 + (heard - 200) / 160) : frameCount(kind, heard)
      #expect(frames.count == 80 * expected, "after \(heard) samples")
    }
  }

  @Test(arguments: kinds)
  func frameCounts(_ kind: LogMelFrontEnd.Kind) throws {
    let samples = try speech(2_000)
    for count in [
      0, 1, 100, 159, 160, 161, 199, 200, 201, 319, 320, 399, 400, 401, 559, 560, 561, 1_999,
    ] {
      let found = frames(frontEnd(kind), Array(samples.prefix(count)))
      #expect(found.count == 80 * frameCount(kind, count), "\(count) samples")
      #expect(found.allSatisfy { $0.isFinite })
    }
  }

  @Test func digitalSilenceIsTheFloor() {
    for (frontEnd, floor) in [(Self.nemo, 0x1p-24), (Self.kaldi, 0x1p-23)] as [(_, Double)] {
      let found = frames(frontEnd, Array(repeating: 0, count: 4_000))
      #expect(!found.isEmpty)
      #expect(found.allSatisfy { $0 == Float(log(floor)) })
    }
    // Kaldi takes a constant away from each frame.
    let constant = frames(Self.kaldi, Array(repeating: 0.25, count: 4_000))
    #expect(constant.allSatisfy { $0 == Float(log(0x1p-23)) })
  }

  @Test func loudestSamplesStayFinite() {
    let square = (0..<4_000).map { $0 / 20 % 2 == 0 ? Float(1) : -1 }
    for frontEnd in [Self.nemo, Self.kaldi] {
      #expect(frames(frontEnd, square).allSatisfy { $0.isFinite && $0 < 30 })
    }
  }

  /// A tone's energy is in the filters around it.
  @Test(arguments: kinds)
  func tonesLieAtTheirMel(_ kind: LogMelFrontEnd.Kind) {
    func kaldiMel(_ hertz: Double) -> Double { 1127 * log(1 + hertz / 700) }
    func slaneyMel(_ hertz: Double) -> Double {
      hertz < 1000 ? hertz * 3 / 200 : 15 + log(hertz / 1000) / log(6.4) * 27
    }
    for hertz in [300, 1000, 2500, 6000] as [Double] {
      let tone = (0..<4_800).map { Float(0.5 * sin(2 * Double.pi * hertz * Double($0) / 16_000)) }
      let middle = Array(frames(frontEnd(kind), tone)[80 * 10..<80 * 11])
      let loudest = middle.indices.max { middle[$0] < middle[$1] }!
      let expected =
        kind == .nemo
        ? slaneyMel(hertz) / slaneyMel(8000) * 81 - 1
        : (kaldiMel(hertz) - kaldiMel(20)) / (kaldiMel(8000) - kaldiMel(20)) * 81 - 1
      #expect(abs(Double(loudest) - expected) <= 1, "\(hertz) Hz is loudest in \(loudest)")
    }
  }

  /// One second of speech by kaldi-native-fbank (scripts/make-kaldi-golden.py).
  @Test func kaldiParity() throws {
    let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/kaldi-fbank-landscape.safetensors").path
    let golden = try TensorTable(fixture)
    #expect(golden.shape("frames") == [98, 80])
    let found = frames(Self.kaldi, try speech(16_000))
    let difference = largestDifference(found, try golden["frames"])
    #expect(difference < 2e-3)
  }

  /// The NeMo front end by its definition, in Double with a plain DFT.
  @Test func nemoParity() throws {
    let samples = try speech(12_345).suffix(2_345).map(Double.init)
    let emphasised = samples.indices.map {
      $0 == 0 ? samples[0] : samples[$0] - 0.97 * samples[$0 - 1]
    }
    let corners = (0..<82).map { index in
      let mel = (15 + 27 * log(8.0) / log(6.4)) * Double(index) / 81
      return mel < 15 ? mel * 200 / 3 : 1000 * exp((mel - 15) * log(6.4) / 27)
    }
    let turns = (0..<512).map { 2 * Double.pi * Double($0) / 512 }
    let (cosines, sines) = (turns.map { cos($0) }, turns.map { sin($0) })
    var expected: [Float] = []
    for frame in 0...samples.count / 160 {
      let windowed = (0..<400).map { index in
        let sample = 160 * frame + index - 200
        let window = 0.5 - 0.5 * cos(2 * Double.pi * Double(index) / 399)
        return emphasised.indices.contains(sample) ? emphasised[sample] * window : 0
      }
      let power = (0...256).map { bin in
        var (real, imaginary) = (0.0, 0.0)
        for (index, value) in windowed.enumerated() {
          real += value * cosines[bin * index % 512]
          imaginary += value * sines[bin * index % 512]
        }
        return real * real + imaginary * imaginary
      }
      for mel in 0..<80 {
        let (left, centre, right) = (corners[mel], corners[mel + 1], corners[mel + 2])
        var energy = 0x1p-24
        for bin in 0...256 {
          let hertz = Double(bin) * 31.25
          let height = min((hertz - left) / (centre - left), (right - hertz) / (right - centre))
          energy += max(0, height) * 2 / (right - left) * power[bin]
        }
        expected.append(Float(log(energy)))
      }
    }
    let found = frames(Self.nemo, samples.map { Float($0) })
    let difference = largestDifference(found, expected)
    #expect(difference < 1e-4)
  }

  /// The FFT plan is shared by all streams of a model.
  @Test(arguments: kinds)
  func threadsDoNotDisturbEachOther(_ kind: LogMelFrontEnd.Kind) throws {
    let frontEnd = frontEnd(kind)
    let signals = [try speech(8_000), Array(try speech(16_000).suffix(8_000))]
    let expected = signals.map { frames(frontEnd, $0) }
    let wrong = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: 16) { index in
      for _ in 0..<5 where frames(frontEnd, signals[index % 2]) != expected[index % 2] {
        wrong.add(1, ordering: .relaxed)
      }
    }
    #expect(wrong.load(ordering: .relaxed) == 0)
  }

  // MARK: - Normalisation

  private func randomFrames(_ count: Int, mels: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count * mels).map { Float($0 % mels) - 8 + generator.normal(2) }
  }

  @Test func noNormalization() {
    var frames = randomFrames(5, mels: 7, seed: 1)
    let before = frames
    var stream = FeatureNormalizerStream(.none, mels: 7)
    stream.normalize(&frames, mels: 7)
    #expect(frames == before)
  }

  @Test func globalNormalization() {
    let (mean, istd) = ([1, -2, 0.5] as [Float], [2, 0.25, 1] as [Float])
    let original = randomFrames(9, mels: 3, seed: 2)
    let expected = original.enumerated().map { ($1 - mean[$0 % 3]) * istd[$0 % 3] }
    let normalizer = FeatureNormalizer.global(mean: mean, inverseDeviation: istd)
    var whole = original
    var stream = FeatureNormalizerStream(normalizer, mels: 3)
    stream.normalize(&whole, mels: 3)
    #expect(largestDifference(whole, expected) < 1e-6)
    var (first, second) = (Array(original[..<12]), Array(original[12...]))
    stream = FeatureNormalizerStream(normalizer, mels: 3)
    stream.normalize(&first, mels: 3)
    stream.normalize(&second, mels: 3)
    #expect(first + second == whole)
  }

  /// (x - mean) / (unbiased deviation + 1e-5) of the given frames.
  private func normalized(_ frames: [Float], by all: [Float], mels: Int) -> [Float] {
    let n = Double(all.count / mels)
    return frames.enumerated().map { index, value in
      let column = stride(from: index % mels, to: all.count, by: mels).map { Double(all[$0]) }
      let mean = column.reduce(0, +) / n
      let variance = column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
      return Float((Double(value) - mean) / (variance.squareRoot() + 1e-5))
    }
  }

  @Test func perFeatureNormalization() {
    for count in [2, 3, 40] {
      let original = randomFrames(count, mels: 5, seed: UInt64(count))
      var found = original
      var stream = FeatureNormalizerStream(.perFeature, mels: 5)
      stream.normalize(&found, mels: 5)
      #expect(largestDifference(found, normalized(original, by: original, mels: 5)) < 1e-5)
    }
    // In portions: by all frames so far.
    let original = randomFrames(30, mels: 5, seed: 9)
    var stream = FeatureNormalizerStream(.perFeature, mels: 5)
    for range in [0..<10, 10..<11, 11..<11, 11..<30] {
      let part = Array(original[5 * range.lowerBound..<5 * range.upperBound])
      var found = part
      stream.normalize(&found, mels: 5)
      let heard = Array(original[..<(5 * range.upperBound)])
      #expect(largestDifference(found, normalized(part, by: heard, mels: 5)) < 1e-5)
    }
  }

  @Test func perFeatureWithoutSpread() {
    var single: [Float] = [3, -4]
    var stream = FeatureNormalizerStream(.perFeature, mels: 2)
    stream.normalize(&single, mels: 2)
    #expect(single == [0, 0])
    var constant: [Float] = Array(repeating: 7.25, count: 20)
    stream = FeatureNormalizerStream(.perFeature, mels: 2)
    stream.normalize(&constant, mels: 2)
    #expect(constant == Array(repeating: 0, count: 20))
    var empty: [Float] = []
    stream.normalize(&empty, mels: 2)
    #expect(empty.isEmpty)
  }
}
