/// The last stretch that every source of audio shares: interleaved floats at the source's rate ->
/// one channel -> checked -> resampled.
final class MonoPipeline {
  /// Integers stored as floats reach 2^31; what lies beyond is not audio on any scale, and its
  /// square would overflow in the features.
  private static let largestSample: Float = 0x1p32

  private let name: String
  private let channels: Int
  private let selection: ChannelSelection
  private let resampler: Resampler
  /// Frames taken, at the source's rate.
  private(set) var frames = 0

  init(
    name: String, inputRate: Int, channels: Int, selection: ChannelSelection, outputRate: Int
  ) throws(AudioError) {
    try selection.check(channels: channels, name: name)
    self.name = name
    self.channels = channels
    self.selection = selection
    resampler = try Resampler(inputRate: inputRate, outputRate: outputRate, name: name)
  }

  /// Seconds of audio taken.
  var seconds: Double { Double(frames) / Double(resampler.inputRate) }

  /// `[frames, channels]` -> mono samples at the output rate.
  func accept(_ interleaved: UnsafeBufferPointer<Float>) throws(AudioError) -> [Float] {
    let mono = selection.mix(interleaved, channels: channels)
    // The comparison is false for NaN too.
    if let bad = mono.firstIndex(where: { !(abs($0) <= Self.largestSample) }) {
      let sample = frames + bad
      throw .invalidSample(
        file: name, sample: sample, seconds: Double(sample) / Double(resampler.inputRate),
        value: "\(mono[bad])")
    }
    frames += mono.count
    return resampler.process(mono)
  }

  func finish() -> [Float] { resampler.finish() }
}
