import Foundation

/// Turns the samples of one stream into log-mel frames.
///
/// However the samples are split over calls, the frames are the same to the last bit: a frame is
/// computed once, when its last sample is there.
public struct LogMelStream {
  private let frontEnd: LogMelFrontEnd
  private let work: RealFFT.Workspace
  /// Samples from the start of the next frame on; for NeMo pre-emphasised and with the zeros that
  /// precede the signal.
  private var pending: [Float]
  private var previousSample: Float = 0
  private var sampleCount = 0
  private var finished = false

  public init(_ frontEnd: LogMelFrontEnd) {
    self.frontEnd = frontEnd
    work = RealFFT.Workspace(length: LogMelFrontEnd.fftLength)
    pending = []
    if frontEnd.kind == .nemo {
      // Frame t is centred on sample 160 t, so the first reaches half a window before the signal.
      pending.append(contentsOf: repeatElement(0, count: LogMelFrontEnd.windowLength / 2))
    }
  }

  /// Takes mono samples in ±1 and appends the frames that became complete, [n, mels], to `frames`.
  public mutating func accept(_ samples: some Collection<Float>, into frames: inout [Float]) {
    precondition(!finished, "a finished stream accepts no samples")
    sampleCount += samples.count
    pending.reserveCapacity(pending.count + samples.count)
    switch frontEnd.kind {
    case .nemo:
      for sample in samples {
        pending.append(sample - LogMelFrontEnd.preEmphasis * previousSample)
        previousSample = sample
      }
    case .kaldi:
      for sample in samples { pending.append(sample * 32768) }
    }
    computeFrames(into: &frames)
  }

  /// Ends the stream and appends the frames that reach beyond its end, [n, mels], to `frames`.
  public mutating func finish(into frames: inout [Float]) {
    precondition(!finished, "a stream finishes once")
    finished = true
    guard frontEnd.kind == .nemo, sampleCount > 0 else { return }
    // The last frame is centred on the last multiple of 160 that is not beyond the end.
    let beyond = LogMelFrontEnd.windowLength / 2 - sampleCount % LogMelFrontEnd.shift
    pending.append(contentsOf: repeatElement(0, count: beyond))
    computeFrames(into: &frames)
  }

  private mutating func computeFrames(into frames: inout [Float]) {
    var start = 0
    while pending.count - start >= LogMelFrontEnd.windowLength {
      computeFrame(at: start, into: &frames)
      start += LogMelFrontEnd.shift
    }
    pending.removeFirst(start)
  }

  private func computeFrame(at start: Int, into frames: inout [Float]) {
    let length = LogMelFrontEnd.windowLength
    // NeMo (torch.stft) puts the window in the middle of the FFT, Kaldi at its start.
    let offset = frontEnd.kind == .nemo ? (LogMelFrontEnd.fftLength - length) / 2 : 0
    let input = work.samples
    input.update(repeating: 0, count: LogMelFrontEnd.fftLength)
    pending.withUnsafeBufferPointer { samples in
      (input + offset).update(from: samples.baseAddress! + start, count: length)
    }
    if frontEnd.kind == .kaldi { Self.removeOffsetAndEmphasise(input) }
    frontEnd.window.withUnsafeBufferPointer { window in
      for index in 0..<length { input[offset + index] *= window[index] }
    }
    frontEnd.fft.transform(work)
    let bins = LogMelFrontEnd.fftLength / 2 + 1
    withUnsafeTemporaryAllocation(of: Float.self, capacity: bins + frontEnd.mels) { buffer in
      let power = buffer.baseAddress!
      let energies = power + bins
      for bin in 0..<bins {
        let (real, imaginary) = (work.spectrum[bin].0, work.spectrum[bin].1)
        power[bin] = real * real + imaginary * imaginary
      }
      frontEnd.filterbank.apply(power, into: energies)
      for mel in 0..<frontEnd.mels {
        frames.append(
          frontEnd.kind == .nemo
            ? logf(energies[mel] + 0x1p-24) : logf(max(energies[mel], 0x1p-23)))
      }
    }
  }

  /// Kaldi's per-frame mean removal and pre-emphasis, from the end backwards.
  private static func removeOffsetAndEmphasise(_ frame: UnsafeMutablePointer<Float>) {
    let length = LogMelFrontEnd.windowLength
    var sum: Float = 0
    for index in 0..<length { sum += frame[index] }
    let mean = sum / Float(length)
    for index in 0..<length { frame[index] -= mean }
    for index in stride(from: length - 1, to: 0, by: -1) {
      frame[index] -= LogMelFrontEnd.preEmphasis * frame[index - 1]
    }
    frame[0] -= LogMelFrontEnd.preEmphasis * frame[0]
  }
}
