import Tensor

/// What a decoder's cross-attention looks at: the keys and values of every layer for the encoder
/// frames of one or several utterances, computed once and shared by all of their hypotheses.
///
/// It belongs to the decoder that made it (`AttentionDecoder.makeMemory`). Immutable.
public final class CrossAttentionMemory: Sendable {
  /// Rows of each utterance's frames.
  public let utterances: [Range<Int>]
  /// Keys and values side by side, per layer. [layers][frames, 2 d]
  private let layers: [FloatStorage]
  private let width: Int

  init(_ projections: [Linear], frames: MatrixView, utterances: [Range<Int>]) {
    precondition(
      utterances.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= frames.rows },
      "the utterances \(utterances) reach beyond \(frames.rows) frames")
    self.utterances = utterances
    width = frames.columns
    layers = projections.map { projection in
      let storage = FloatStorage(count: frames.rows * projection.outputs)
      projection.apply(frames, into: storage.view(columns: projection.outputs))
      return storage
    }
  }

  var layerCount: Int { layers.count }

  /// Keys of an utterance. [T, d]
  func keys(layer: Int, utterance: Int) -> MatrixView {
    rows(layer, utterance).columns(0..<width)
  }

  /// Values of an utterance. [T, d]
  func values(layer: Int, utterance: Int) -> MatrixView {
    rows(layer, utterance).columns(width..<2 * width)
  }

  private func rows(_ layer: Int, _ utterance: Int) -> MatrixView {
    layers[layer].view(columns: 2 * width).rows(utterances[utterance])
  }

  /// Bytes held.
  public var byteCount: Int { layers.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride }
}
