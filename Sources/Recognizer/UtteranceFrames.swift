import Decoding
import Tensor

/// The frames of the current utterance that its final pass will want, by their number in the
/// stream.
struct UtteranceFrames {
  /// Frames kept before the first token.
  static let preRoll = 25

  private let width: Int
  /// Number of the first frame kept.
  private(set) var first = 0
  /// The encoder's outputs of final frames. [count, d]
  private var outputs: [Float] = []
  /// The encoder's inputs of the same frames and of `lookAhead` more. [count + lookAhead, d]
  private var inputs: [Float] = []
  private var lookAhead = 0
  /// The outputs of every encoder layer, if somebody looks at them. [layers][count, d]
  private var layers: [[Float]] = []

  init(width: Int) { self.width = width }

  private var end: Int { first + outputs.count / width }

  /// Takes a block's inputs before the encoder step: new frames, then look-ahead.
  mutating func append(inputs block: MatrixView, finalRows: Int) {
    inputs.removeLast(lookAhead * width)
    inputs.append(
      contentsOf: UnsafeBufferPointer(start: block.pointer, count: block.rows * width))
    lookAhead = block.rows - finalRows
  }

  /// Takes the outputs of the block's new frames.
  mutating func append(outputs block: MatrixView) {
    outputs.append(
      contentsOf: UnsafeBufferPointer(start: block.pointer, count: block.rows * width))
  }

  /// Takes the outputs of an encoder layer for the block's new frames.
  mutating func append(outputs block: MatrixView, ofLayer layer: Int) {
    if layer == layers.count { layers.append([]) }
    layers[layer].append(
      contentsOf: UnsafeBufferPointer(start: block.pointer, count: block.rows * width))
  }

  /// The frames of an utterance: silence before its first word has been forgotten.
  func range(of utterance: DecodedUtterance) -> Range<Int> {
    max(utterance.frames.lowerBound, first)..<utterance.frames.upperBound
  }

  /// Forgets the frames before `frame`.
  mutating func drop(before frame: Int) {
    let count = max(0, min(frame, end) - first)
    outputs.removeFirst(count * width)
    inputs.removeFirst(count * width)
    for layer in layers.indices { layers[layer].removeFirst(count * width) }
    first += count
  }

  /// Copies the outputs of `frames` to a new matrix. [frames, d]
  func outputs(_ frames: Range<Int>, scratch: ScratchArena) -> MatrixView {
    precondition(frames.lowerBound >= first && frames.upperBound <= end)
    return copy(outputs, frames.lowerBound - first, frames.count, scratch)
  }

  /// Copies the outputs of an encoder layer for `frames` to a new matrix. [frames, d]
  func outputs(_ frames: Range<Int>, ofLayer layer: Int, scratch: ScratchArena) -> MatrixView {
    precondition(frames.lowerBound >= first && frames.upperBound <= end)
    return copy(layers[layer], frames.lowerBound - first, frames.count, scratch)
  }

  /// Copies the inputs of `frames`, and of what is known beyond them, to a new matrix.
  /// [frames and up to `beyond` more, d]
  func inputs(_ frames: Range<Int>, beyond: Int, scratch: ScratchArena) -> MatrixView {
    precondition(frames.lowerBound >= first && frames.upperBound <= end)
    let known = inputs.count / width - (frames.upperBound - first)
    return copy(
      inputs, frames.lowerBound - first, frames.count + min(beyond, known), scratch)
  }

  private func copy(
    _ rows: [Float], _ start: Int, _ count: Int, _ scratch: ScratchArena
  ) -> MatrixView {
    let matrix = scratch.matrix(rows: count, columns: width)
    rows.withUnsafeBufferPointer {
      matrix.pointer.update(from: $0.baseAddress! + start * width, count: count * width)
    }
    return matrix
  }
}
