import Foundation
import Tensor

/// The constants of a log-mel front end, shared by all streams of a model.
///
/// Frames are 25 ms long (400 samples at 16 kHz) every 10 ms (160 samples), 512-point FFT.
public final class LogMelFrontEnd: Sendable {
  public enum Kind: Sendable {
    /// NeMo's `AudioToMelSpectrogramPreprocessor`: pre-emphasis over the whole signal, frames
    /// centred on every 160th sample with zeros beyond both ends, symmetric Hann window, Slaney
    /// mel scale, `ln(E + 2⁻²⁴)`; `1 + ⌊N / 160⌋` frames.
    case nemo
    /// Kaldi's `compute-fbank-feats` without dither and energy: frames only where 400 samples
    /// are whole (`snip_edges`), samples in int16 range, per-frame DC removal and pre-emphasis,
    /// Povey window, HTK mel scale, `ln(max(E, 2⁻²³))`; `1 + ⌊(N - 400) / 160⌋` frames.
    case kaldi
  }

  public let kind: Kind
  public let sampleRate: Int
  public let mels: Int

  static let windowLength = 400
  /// Samples from one frame to the next.
  public static let shift = 160
  static let fftLength = 512
  /// Bins of a power spectrum.
  static let bins = fftLength / 2 + 1
  static let preEmphasis: Float = 0.97

  let window: [Float]
  /// Energies of all filters from power spectra.
  let filterbank: Linear  // [bins, mels]
  let fft: RealFFT

  /// - Precondition: `sampleRate` is 16000, the only rate that the frame sizes are made for.
  public init(_ kind: Kind, mels: Int = 80, sampleRate: Int = 16_000) {
    precondition(sampleRate == 16_000, "front ends are defined at 16 kHz")
    self.kind = kind
    self.mels = mels
    self.sampleRate = sampleRate
    fft = RealFFT(length: Self.fftLength)
    let hann = (0..<Self.windowLength).map {
      0.5 - 0.5 * cos(2 * Double.pi * Double($0) / Double(Self.windowLength - 1))
    }
    switch kind {
    case .nemo:
      window = hann.map { Float($0) }
      filterbank = MelFilters.slaney(
        count: mels, fftLength: Self.fftLength, sampleRate: sampleRate)
    case .kaldi:
      window = hann.map { Float(pow($0, 0.85)) }
      filterbank = MelFilters.kaldi(
        count: mels, fftLength: Self.fftLength, sampleRate: sampleRate)
    }
  }
}
