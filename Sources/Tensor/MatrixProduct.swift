import COpenBLAS

/// Matrix products without packed weights, by OpenBLAS.
public enum MatrixProduct {
  /// OpenBLAS itself starts with a thread for every core. How it divides a product among them
  /// depends on what else runs, and with it the last bits of the sums.
  private static let singleThreaded: Void = openblas_set_num_threads(1)

  /// `c = a · b`, or `c += a · b` when `accumulating`. a: [m, k], b: [k, n], c: [m, n].
  public static func multiply(
    _ a: MatrixView, _ b: MatrixView, into c: MatrixView, accumulating: Bool = false
  ) {
    precondition(
      a.columns == b.rows && a.rows == c.rows && b.columns == c.columns,
      "[\(a.rows), \(a.columns)] · [\(b.rows), \(b.columns)] into [\(c.rows), \(c.columns)]")
    guard a.rows > 0, b.columns > 0 else { return }
    _ = singleThreaded
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(a.rows), blasint(b.columns),
      blasint(a.columns), 1, a.pointer, blasint(a.stride), b.pointer, blasint(b.stride),
      accumulating ? 1 : 0, c.pointer, blasint(c.stride))
  }

  /// `c = a · bᵀ`. a: [m, k], b: [n, k], c: [m, n].
  public static func multiplyTransposed(_ a: MatrixView, _ b: MatrixView, into c: MatrixView) {
    precondition(
      a.columns == b.columns && a.rows == c.rows && b.rows == c.columns,
      "[\(a.rows), \(a.columns)] · [\(b.rows), \(b.columns)]ᵀ into [\(c.rows), \(c.columns)]")
    guard a.rows > 0, b.rows > 0 else { return }
    _ = singleThreaded
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, blasint(a.rows), blasint(b.rows),
      blasint(a.columns), 1, a.pointer, blasint(a.stride), b.pointer, blasint(b.stride),
      0, c.pointer, blasint(c.stride))
  }
}
