import Tensor

/// Turns the samples of one stream into log-mel frames.
///
/// However the samples are split over calls, the frames are the same to the last bit: a frame is
/// computed once, when its last sample is there.
public struct LogMelStream {
  private let frontEnd: LogMelFrontEnd
  private let work: LogMelWorkspace
  /// Samples from the start of the next frame on; for NeMo pre-emphasised and with the zeros that
  /// precede the signal.
  private var pending: [Float]
  private var previousSample: Float = 0
  private var sampleCount = 0
  private var finished = false

  public init(_ frontEnd: LogMelFrontEnd) {
    self.frontEnd = frontEnd
    work = LogMelWorkspace(mels: frontEnd.mels)
    pending = []
    if frontEnd.kind == .nemo {
      // Frame t is centred on sample 160 t, so the first reaches half a window before the signal.
      pending.append(contentsOf: repeatElement(0, count: LogMelFrontEnd.windowLength / 2))
    }
  }

  /// Takes mono samples in ±1 and appends the frames that became complete, [n, mels], to `frames`.
  public mutating func accept(_ samples: some Collection<Float>, into frames: inout [Float]) {
    // Collections that are no memory in a row are rare here, and short.
    if samples.withContiguousStorageIfAvailable({ accept($0, into: &frames) }) == nil {
      Array(samples).withUnsafeBufferPointer { accept($0, into: &frames) }
    }
  }

  private mutating func accept(
    _ samples: UnsafeBufferPointer<Float>, into frames: inout [Float]
  ) {
    precondition(!finished, "a finished stream accepts no samples")
    guard let last = samples.last else { return }
    let first = pending.count
    sampleCount += samples.count
    pending.append(contentsOf: samples)
    pending.withUnsafeMutableBufferPointer { pending in
      let new = pending.baseAddress! + first
      switch frontEnd.kind {
      case .nemo:
        let factor = LogMelFrontEnd.preEmphasis
        new[0] = samples[0] - factor * previousSample
        for index in 1..<samples.count {
          new[index] = samples[index] - factor * samples[index - 1]
        }
      case .kaldi:
        for index in 0..<samples.count { new[index] *= 32768 }
      }
    }
    previousSample = last
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
    let (length, shift) = (LogMelFrontEnd.windowLength, LogMelFrontEnd.shift)
    let count = pending.count < length ? 0 : 1 + (pending.count - length) / shift
    for start in stride(from: 0, to: count, by: LogMelWorkspace.frames) {
      let rows = min(LogMelWorkspace.frames, count - start)
      pending.withUnsafeBufferPointer { pending in
        for row in 0..<rows {
          computePower(pending.baseAddress! + (start + row) * shift, row: row)
        }
      }
      appendEnergies(rows: rows, to: &frames)
    }
    pending.removeFirst(count * shift)
  }

  /// Power spectrum of the frame at `samples` as a row of the workspace.
  private func computePower(_ samples: UnsafePointer<Float>, row: Int) {
    let length = LogMelFrontEnd.windowLength
    // NeMo (torch.stft) puts the window in the middle of the FFT, Kaldi at its start.
    let offset = frontEnd.kind == .nemo ? (LogMelFrontEnd.fftLength - length) / 2 : 0
    let input = work.fft.samples
    input.update(repeating: 0, count: LogMelFrontEnd.fftLength)
    (input + offset).update(from: samples, count: length)
    if frontEnd.kind == .kaldi { Self.removeOffsetAndEmphasise(input) }
    frontEnd.window.withUnsafeBufferPointer { window in
      for index in 0..<length { input[offset + index] *= window[index] }
    }
    frontEnd.fft.transform(work.fft)
    let spectrum = work.fft.spectrum
    let power = work.power.rows(row..<row + 1).pointer
    for bin in 0..<LogMelFrontEnd.bins {
      let (real, imaginary) = (spectrum[bin].0, spectrum[bin].1)
      power[bin] = real * real + imaginary * imaginary
    }
  }

  /// Appends the logarithms of the mel energies of the workspace's first `rows` power spectra.
  private func appendEnergies(rows: Int, to frames: inout [Float]) {
    let energies = work.energies.rows(0..<rows)
    frontEnd.filterbank.apply(work.power.rows(0..<rows), into: energies)
    let values = UnsafeMutableBufferPointer(
      start: energies.pointer, count: rows * frontEnd.mels)
    switch frontEnd.kind {
    case .nemo: for index in values.indices { values[index] += 0x1p-24 }
    case .kaldi: for index in values.indices { values[index] = max(values[index], 0x1p-23) }
    }
    Kernels.active.logarithm(energies.pointer, values.count)
    frames.append(contentsOf: values)
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
