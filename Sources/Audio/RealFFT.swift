import CFFTW
import Synchronization

/// A real-to-complex FFT of one length, planned once and usable from any thread.
///
/// The plan is FFTW's estimate rather than a measured one: measuring may choose another algorithm
/// on every start, and features should not differ in their last bits between two runs.
final class RealFFT: @unchecked Sendable {
  let length: Int
  private let plan: fftwf_plan
  /// FFTW's planner is the one part of it that is not re-entrant.
  private static let planner = Mutex(())

  init(length: Int) {
    self.length = length
    plan = Self.planner.withLock { _ in
      let work = Workspace(length: length)
      return fftwf_plan_dft_r2c_1d(
        Int32(length), work.samples, work.spectrum, FFTW_ESTIMATE | FFTW_DESTROY_INPUT)!
    }
  }

  deinit { Self.planner.withLock { _ in fftwf_destroy_plan(plan) } }

  /// Buffers of one caller, aligned as the plan expects.
  final class Workspace {
    let samples: UnsafeMutablePointer<Float>  // [length]
    let spectrum: UnsafeMutablePointer<fftwf_complex>  // [length / 2 + 1]

    init(length: Int) {
      samples = fftwf_alloc_real(length)
      spectrum = fftwf_alloc_complex(length / 2 + 1)
      samples.initialize(repeating: 0, count: length)
    }

    deinit {
      fftwf_free(samples)
      fftwf_free(spectrum)
    }
  }

  /// Transforms `work.samples`, which is destroyed, into `work.spectrum`.
  func transform(_ work: Workspace) {
    fftwf_execute_dft_r2c(plan, work.samples, work.spectrum)
  }
}
