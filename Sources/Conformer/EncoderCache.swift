import Tensor

/// Everything an encoder remembers of one stream between two steps, in one flat buffer:
///
/// ```
/// last mel frame               [mels]
/// last row of the first conv.  [padded bins · channels]
/// per layer: keys              [capacity, d]   of the last `validRows` final frames
///            values            [capacity, d]
///            depthwise inputs  [⌊kernel / 2⌋, d] of the last final frames
/// ```
///
/// Zeros are the state before the first frame: both subsampling convolutions and the depthwise one
/// pad with zeros, and attention looks at valid rows only. So a reset is one fill.
public final class EncoderCache {
  /// Most final frames that attention looks back on; nil for all of them.
  let leftContext: Int?
  /// Rows of keys and values that hold frames; at most `leftContext`.
  private(set) var validRows = 0

  private let width: Int
  private let layers: Int
  private let convolutionRows: Int
  private let mels: Int
  private let subsamplingRow: Int
  private var capacity: Int
  private var storage: FloatStorage

  init(_ config: EncoderConfig, mels: Int, subsamplingRow: Int, leftContext: Int?) {
    precondition(leftContext ?? 0 >= 0)
    self.leftContext = leftContext
    self.mels = mels
    self.subsamplingRow = subsamplingRow
    width = config.width
    layers = config.layers
    convolutionRows = config.convolutionKernel / 2
    capacity = leftContext ?? 64
    storage = FloatStorage(
      count: Self.floats(
        mels + subsamplingRow, layers, (2 * capacity + convolutionRows) * width))
  }

  private static func floats(_ head: Int, _ layers: Int, _ perLayer: Int) -> Int {
    head + layers * perLayer
  }

  /// Back to the state before the first frame.
  public func reset() {
    storage.view(columns: storage.count).fill(0)
    validRows = 0
  }

  /// Bytes held.
  public var byteCount: Int { storage.count * MemoryLayout<Float>.stride }

  /// The mel frame before the next one. [1, mels]
  var lastMelFrame: MatrixView { MatrixView(storage.pointer, rows: 1, columns: mels) }

  /// The row before the next one of the first subsampling convolution. [1, padded bins · channels]
  var lastSubsamplingRow: MatrixView {
    MatrixView(storage.pointer + mels, rows: 1, columns: subsamplingRow)
  }

  /// Valid keys of a layer. [validRows, d]
  func keys(_ layer: Int) -> MatrixView { rows(layer, offset: 0, count: validRows) }

  /// Valid values of a layer. [validRows, d]
  func values(_ layer: Int) -> MatrixView { rows(layer, offset: capacity, count: validRows) }

  /// Inputs of a layer's depthwise convolution. [⌊kernel / 2⌋, d]
  func depthwiseInputs(_ layer: Int) -> MatrixView {
    rows(layer, offset: 2 * capacity, count: convolutionRows)
  }

  /// Makes room for `finalRows` more frames. Only an unlimited left context ever grows.
  func reserve(finalRows: Int) {
    guard leftContext == nil, validRows + finalRows > capacity else { return }
    let grown = max(2 * capacity, validRows + finalRows)
    let bigger = FloatStorage(
      count: Self.floats(mels + subsamplingRow, layers, (2 * grown + convolutionRows) * width))
    bigger.pointer.update(from: storage.pointer, count: mels + subsamplingRow)
    let old = (0..<layers).map { (keys($0), values($0), depthwiseInputs($0)) }
    let oldStorage = storage
    (storage, capacity) = (bigger, grown)
    withExtendedLifetime(oldStorage) {
      for layer in 0..<layers {
        keys(layer).copy(from: old[layer].0)
        values(layer).copy(from: old[layer].1)
        depthwiseInputs(layer).copy(from: old[layer].2)
      }
    }
  }

  /// Frames that a step of `rows` reaches over: for a stream in small blocks what it will be once its
  /// left context is full.
  func reach(rows: Int) -> Int {
    guard let leftContext, rows <= leftContext else { return validRows + rows }
    return leftContext + rows
  }

  /// Appends the keys and values of a step's final frames to those of a layer, and drops what
  /// the left context no longer reaches. keys, values: [final rows, d].
  func store(_ layer: Int, keys: MatrixView, values: MatrixView) {
    append(keys, layer, offset: 0)
    append(values, layer, offset: capacity)
  }

  private func append(_ new: MatrixView, _ layer: Int, offset: Int) {
    let kept = min(leftContext ?? .max, validRows + new.rows)
    let appended = min(new.rows, kept)
    let stayed = kept - appended
    // Rows move towards the front, so none is overwritten before it has moved.
    rows(layer, offset: offset, count: stayed).pointer.update(
      from: rows(layer, offset: offset + validRows - stayed, count: stayed).pointer,
      count: stayed * width)
    rows(layer, offset: offset + stayed, count: appended)
      .copy(from: new.rows(new.rows - appended..<new.rows))
  }

  /// Counts the final frames of a step once all layers have stored theirs.
  func advance(finalRows: Int) {
    validRows = min(leftContext ?? Int.max, validRows + finalRows)
  }

  private func rows(_ layer: Int, offset: Int, count: Int) -> MatrixView {
    let start = mels + subsamplingRow + (layer * (2 * capacity + convolutionRows) + offset) * width
    return MatrixView(storage.pointer + start, rows: count, columns: width)
  }
}
