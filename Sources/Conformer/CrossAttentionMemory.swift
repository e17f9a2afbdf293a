import Tensor

/// What a decoder's cross-attention looks at: the keys and values of every layer for the encoder
/// frames of one or several utterances, computed once and shared by all of their hypotheses.
///
/// It belongs to the decoder that made it (`AttentionDecoder.makeMemory`). Immutable.
public final class CrossAttentionMemory: Sendable {
  /// Rows of each utterance's frames.
  public let utterances: [Range<Int>]
  private let heads: Int
  private let width: Int
  /// Packed keys and values of each layer, one utterance after the other.
  private let layers: [FloatStorage]
  /// Where each utterance begins there, and where the last one ends.
  private let offsets: [Int]

  /// - Parameter positions: of width p, where the projections read each frame's place in its
  ///   utterance after the encoder's output: [d + p] inputs.
  init(
    _ projections: [Linear], heads: Int, frames: MatrixView, utterances: [Range<Int>],
    positions: SinusoidalPositions?
  ) {
    precondition(
      utterances.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= frames.rows },
      "the utterances \(utterances) reach beyond \(frames.rows) frames")
    let width = frames.columns
    var offsets = [0]
    for rows in utterances {
      // Each begins on a boundary of 64 bytes.
      let count = AttentionMemory.count(keys: rows.count, heads: heads, width: width)
      offsets.append((offsets.last! + count + 15) / 16 * 16)
    }
    let placed = positions.map { Self.withPlaces($0, frames, utterances) }
    let inputs = placed?.view(columns: width + positions!.width) ?? frames
    let projected = FloatStorage(count: frames.rows * 2 * width)
    let both = projected.view(columns: 2 * width)
    layers = projections.map { projection in
      projection.apply(inputs, into: both)
      let storage = FloatStorage(count: offsets.last!)
      for (rows, offset) in zip(utterances, offsets) where !rows.isEmpty {
        AttentionMemory(
          keys: rows.count, heads: heads, width: width, memory: storage.pointer + offset
        ).pack(
          keys: both.rows(rows).columns(0..<width),
          values: both.rows(rows).columns(width..<2 * width), at: 0)
      }
      return storage
    }
    (self.utterances, self.offsets, self.heads, self.width) = (utterances, offsets, heads, width)
  }

  /// Frames with the sinusoids of their places beside them, from 0 in each utterance. [n, d + p]
  private static func withPlaces(
    _ positions: SinusoidalPositions, _ frames: MatrixView, _ utterances: [Range<Int>]
  ) -> FloatStorage {
    let both = FloatStorage(count: frames.rows * (frames.columns + positions.width))
    let rows = both.view(columns: frames.columns + positions.width)
    rows.columns(0..<frames.columns).copy(from: frames)
    for utterance in utterances {
      for (place, row) in utterance.enumerated() {
        positions.add(place, to: both.pointer + row * rows.columns + frames.columns)
      }
    }
    return both
  }

  var layerCount: Int { layers.count }

  /// Keys and values of an utterance that has frames.
  func memory(layer: Int, utterance: Int) -> AttentionMemory {
    AttentionMemory(
      keys: utterances[utterance].count, heads: heads, width: width,
      memory: layers[layer].pointer + offsets[utterance])
  }

  /// Bytes held.
  public var byteCount: Int { layers.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride }
}
