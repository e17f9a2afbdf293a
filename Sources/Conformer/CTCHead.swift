import Tensor

/// The CTC head: log-probabilities of every class for each encoder frame.
public struct CTCHead: Sendable {
  private let linear: Linear

  /// - Parameter reader: at the tensors below `ctc.`.
  public init(_ reader: WeightReader, _ config: CTCConfig, width: Int) throws(WeightError) {
    linear = try reader.linear(inputs: width, outputs: config.vocabulary)
  }

  /// hidden: [rows, d]; logProbs: [rows, vocabulary].
  public func logProbs(_ hidden: MatrixView, into logProbs: MatrixView) {
    linear.applyLogSoftmax(hidden, into: logProbs)
  }
}
