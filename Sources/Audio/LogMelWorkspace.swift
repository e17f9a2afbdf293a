import Tensor

/// Buffers of one log-mel stream: some frames' spectra at a time.
final class LogMelWorkspace {
  /// Frames that go through the filters together.
  static let frames = 16

  let fft = RealFFT.Workspace(length: LogMelFrontEnd.fftLength)
  private let storage: FloatStorage
  private let mels: Int

  init(mels: Int) {
    self.mels = mels
    storage = FloatStorage(count: Self.frames * (LogMelFrontEnd.bins + mels))
  }

  /// [frames, bins]
  var power: MatrixView {
    MatrixView(storage.pointer, rows: Self.frames, columns: LogMelFrontEnd.bins)
  }

  /// [frames, mels]
  var energies: MatrixView {
    MatrixView(
      storage.pointer + Self.frames * LogMelFrontEnd.bins, rows: Self.frames, columns: mels)
  }
}
