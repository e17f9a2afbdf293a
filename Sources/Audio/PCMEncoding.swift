/// How headerless PCM is written: what a client declares before it sends raw samples.
public enum PCMEncoding: String, CaseIterable, Sendable {
  case s16le, s32le, f32le, mulaw, alaw

  /// Bytes of one sample of one channel.
  public var bytesPerSample: Int { sampleFormat.bytesPerSample }

  /// Decodes whole samples to floats, full scale being ±1; bytes of an incomplete last sample are
  /// left out. Channels stay interleaved. Floats pass as they are, non-finite ones included.
  /// - Parameter bytes: `[samples * bytesPerSample]`, of any alignment.
  /// - Returns: `[samples]`
  public func decode(_ bytes: UnsafeRawBufferPointer) -> [Float] {
    var samples: [Float] = []
    sampleFormat.decode(bytes, appendingTo: &samples)
    return samples
  }

  /// As `decode(_:)` of raw memory.
  public func decode(_ bytes: [UInt8]) -> [Float] {
    bytes.withUnsafeBytes { decode($0) }
  }

  var sampleFormat: SampleFormat {
    switch self {
    case .s16le: .s16le
    case .s32le: .s32le
    case .f32le: .f32le
    case .mulaw: .mulaw
    case .alaw: .alaw
    }
  }
}
