import CSoxr

/// Changes the sample rate of a mono stream with libsoxr's high-quality filter. The samples do not
/// depend on how the stream was cut into pieces. Equal rates pass every sample through untouched.
/// One stream's state: not for use from two threads at once.
public final class Resampler {
  /// Rates that audio of speech can have, in Hz; anything else is a damaged header or a slip.
  public static let supportedRates = 1000...768_000

  public let inputRate: Int
  public let outputRate: Int
  private let engine: soxr_t?
  private var isFinished = false

  /// - Parameter name: what an error calls the audio.
  /// - Throws: `unsupportedRate` for a rate (Hz) outside `supportedRates`.
  public init(
    inputRate: Int, outputRate: Int = 16_000, name: String = "audio"
  ) throws(AudioError) {
    try Self.check(rate: inputRate, name: name)
    try Self.check(rate: outputRate, name: name)
    self.inputRate = inputRate
    self.outputRate = outputRate
    guard inputRate != outputRate else {
      engine = nil
      return
    }
    var quality = soxr_quality_spec(UInt(SOXR_20_BITQ), 0)  // SOXR_HQ
    var layout = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I)
    var threads = soxr_runtime_spec(1)
    engine = soxr_create(
      Double(inputRate), Double(outputRate), 1, nil, &layout, &quality, &threads)
    precondition(engine != nil, "soxr_create failed: out of memory")
  }

  deinit {
    if let engine { soxr_delete(engine) }
  }

  /// Takes `[n]` samples at `inputRate` and returns those at `outputRate` that are complete by now:
  /// about `n * outputRate / inputRate`, less while the filter fills.
  public func process(_ samples: [Float]) -> [Float] {
    precondition(!isFinished, "process after finish")
    guard let engine else { return samples }
    var output: [Float] = []
    output.reserveCapacity(samples.count * outputRate / inputRate + 16)
    samples.withUnsafeBufferPointer { input in
      var position = 0
      while position < input.count {
        position += run(engine, UnsafeBufferPointer(rebasing: input[position...]), &output).consumed
      }
    }
    return output
  }

  /// Ends the stream and returns the filter's last samples, so that `n` input samples have given
  /// `n * outputRate / inputRate` in all, rounded.
  public func finish() -> [Float] {
    precondition(!isFinished, "finish called twice")
    isFinished = true
    guard let engine else { return [] }
    var output: [Float] = []
    while run(engine, nil, &output).produced > 0 {}
    return output
  }

  static func check(rate: Int, name: String) throws(AudioError) {
    guard supportedRates.contains(rate) else { throw .unsupportedRate(file: name, rate: rate) }
  }

  /// One call of the library; `input` nil tells it that the stream has ended.
  private func run(
    _ engine: soxr_t, _ input: UnsafeBufferPointer<Float>?, _ output: inout [Float]
  ) -> (consumed: Int, produced: Int) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: 4096) { block in
      var consumed = 0
      var produced = 0
      let error = soxr_process(
        engine, input?.baseAddress, input?.count ?? 0, &consumed, block.baseAddress, block.count,
        &produced)
      precondition(error == nil, "soxr_process failed: \(String(cString: error!))")
      output.append(contentsOf: block[..<produced])
      return (consumed, produced)
    }
  }
}
