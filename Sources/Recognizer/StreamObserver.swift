public import Decoding

/// Looks at what the networks of a stream compute, block by block: for alignment and debugging.
///
/// The frames come in order and only once, those of look-ahead not at all. What is handed over is
/// valid during the call only.
public struct StreamObserver {
  /// The CTC log-probabilities that the stream decodes.
  public var logProbs: ((LogProbs) -> Void)?
  /// The CTC head's log-probabilities of each encoder layer's output, by the layer's index. Costs a
  /// pass of the CTC head per layer.
  public var layerLogProbs: ((Int, LogProbs) -> Void)?
  /// Called when an utterance has ended, before its final result, with a function that settles it
  /// in any way: the texts that it may have, the best first. The stream's own result stays the same.
  public var ended: ((_ settle: (DecodingOptions) -> [Alternative]) -> Void)?
  /// An utterance that has ended, as the first pass has it, with its frames and those of every
  /// encoder layer.
  var utterance: ((DecodedUtterance, UtteranceFrames) -> Void)?

  public init(
    logProbs: ((LogProbs) -> Void)? = nil, layerLogProbs: ((Int, LogProbs) -> Void)? = nil,
    ended: ((_ settle: (DecodingOptions) -> [Alternative]) -> Void)? = nil
  ) {
    self.logProbs = logProbs
    self.layerLogProbs = layerLogProbs
    self.ended = ended
  }
}
