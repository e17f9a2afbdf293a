import Foundation

/// OpenBLAS's matrix product on one thread, to measure ours against.
///
/// It is loaded when it is asked for: linked, it would start threads and take memory in every
/// process that recognises.
struct OpenBLAS {
  // cblas_sgemm(3), row-major: order, transposes, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc.
  private typealias Product =
    @convention(c) (
      Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafePointer<Float>, Int32,
      UnsafePointer<Float>, Int32, Float, UnsafeMutablePointer<Float>, Int32
    ) -> Void

  private let product: Product

  /// nil where the library is not installed.
  init?() {
    setenv("OPENBLAS_NUM_THREADS", "1", 1)
    guard let library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL),
      let symbol = dlsym(library, "cblas_sgemm")
    else { return nil }
    product = unsafeBitCast(symbol, to: Product.self)
  }

  /// `c = a · b`. a: [m, k], b: [k, n], c: [m, n].
  func multiply(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, into c: UnsafeMutablePointer<Float>,
    m: Int, n: Int, k: Int
  ) {
    let (rowMajor, notTransposed) = (Int32(101), Int32(111))
    product(
      rowMajor, notTransposed, notTransposed, Int32(m), Int32(n), Int32(k), 1, a, Int32(k), b,
      Int32(n), 0, c, Int32(n))
  }
}
