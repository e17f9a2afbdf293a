import Tensor

/// The speech probabilities of one stream, however its samples are split over calls.
///
/// A value: a copy goes its own way. Probability k belongs to samples 512 k ..< 512 (k + 1).
public struct SileroVADStream {
  private let detector: SileroVAD
  private let scratch: ScratchArena
  private var state = SileroVADState()
  /// Samples of the next step; fewer than a step between calls.
  private var pending: [Float] = []

  /// - Parameter scratch: streams that run on one thread may share it.
  public init(_ detector: SileroVAD, scratch: ScratchArena = ScratchArena()) {
    self.detector = detector
    self.scratch = scratch
    pending.reserveCapacity(SileroVAD.stepSamples)
  }

  /// Takes 16 kHz mono samples in ±1 and appends the probability of each step that became
  /// complete.
  public mutating func accept(
    _ samples: some Collection<Float>, into probabilities: inout [Float]
  ) {
    var rest = samples[...]
    while !rest.isEmpty {
      let part = rest.prefix(SileroVAD.stepSamples - pending.count)
      pending.append(contentsOf: part)
      rest = rest.dropFirst(part.count)
      if pending.count == SileroVAD.stepSamples { probabilities.append(step()) }
    }
  }

  /// Ends the stream: samples that fill no step are followed by zeros. The stream may begin again.
  public mutating func finish(into probabilities: inout [Float]) {
    if !pending.isEmpty {
      pending += repeatElement(0, count: SileroVAD.stepSamples - pending.count)
      probabilities.append(step())
    }
    state = SileroVADState()
  }

  private mutating func step() -> Float {
    let probability = pending.withUnsafeBufferPointer {
      detector.probability($0, state: &state, scratch: scratch)
    }
    pending.removeAll(keepingCapacity: true)
    return probability
  }
}
