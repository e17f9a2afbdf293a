/// Arithmetic of a model, for reports.
extension ModelConfig {
  /// Floating-point operations of the matrix products per encoder frame that subsampling makes.
  public var subsamplingOperationsPerFrame: Double {
    let bins1 = Double((features.mels + 1) / 2)
    let bins2 = Double(((features.mels + 1) / 2 + 1) / 2)
    let (c, d) = (Double(encoder.subsamplingChannels), Double(encoder.width))
    // Two rows of the first convolution, one of the second, the linear layer.
    return 2 * (2 * bins1 * 9 * c + bins2 * 9 * c * c + bins2 * c * d)
  }

  /// Floating-point operations of the matrix products of all layers and the CTC head over a block
  /// of `rows` frames whose attention sees `cached` frames before it.
  public func stepOperations(rows: Int, cached: Int) -> Double {
    let (n, m) = (Double(rows), Double(rows + cached))
    let (d, f) = (Double(encoder.width), Double(encoder.feedForwardWidth))
    // Two feed-forward modules, four attention projections, three pointwise products.
    let linear = 2 * n * (4 * d * f + 4 * d * d + 3 * d * d)
    // Keys, positions, values.
    let attention = 2 * n * d * 3 * m
    return Double(encoder.layers) * (linear + attention) + 2 * n * d * Double(ctc.vocabulary)
  }
}
