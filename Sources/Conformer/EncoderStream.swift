import Tensor

/// How a stream cuts its encoder frames into blocks.
public struct BlockShape: Hashable, Sendable {
  /// New frames per block, C.
  public var newFrames: Int
  /// Look-ahead frames after them, R.
  public var lookAheadFrames: Int
  /// Final frames before the block that attention sees, L; nil for all of them.
  public var leftContext: Int?

  public init(newFrames: Int, lookAheadFrames: Int, leftContext: Int?) {
    precondition(newFrames > 0 && lookAheadFrames >= 0 && leftContext ?? 0 >= 0)
    self.newFrames = newFrames
    self.lookAheadFrames = lookAheadFrames
    self.leftContext = leftContext
  }
}

/// The subsampled frames of one stream, cut into blocks for `ConformerEncoder.step`.
///
/// ```
/// while (mel frames >= melFramesWanted, or the signal ended) {
///   subsample(up to melFramesWanted mel frames)      // or end(), if there are none
///   guard let block = nextBlock() else { break }
///   takeBlock(into: x);  encoder.step(x, [block]);  x.rows(0..<block.finalRows)
/// }
/// ```
public struct EncoderStream {
  public let shape: BlockShape
  public let cache: EncoderCache
  private let encoder: ConformerEncoder
  /// Subsampled frames from the start of the next block on. [count, d]
  private var pending: [Float] = []
  private var ended = false

  public init(encoder: ConformerEncoder, shape: BlockShape) {
    self.encoder = encoder
    self.shape = shape
    cache = encoder.makeCache(leftContext: shape.leftContext)
  }

  private var pendingRows: Int { pending.count / encoder.config.width }
  /// C + R, the rows of every block before the end of the signal.
  private var wholeBlock: Int { shape.newFrames + shape.lookAheadFrames }

  /// Mel frames that the next block still lacks: a multiple of 4.
  public var melFramesWanted: Int {
    encoder.config.subsamplingFactor * max(0, wholeBlock - pendingRows)
  }

  /// Subsamples the next normalised mel frames.
  ///
  /// - Parameter mel: [t, mels]; `t` a multiple of 4 unless `isEnd`.
  public mutating func subsample(_ mel: MatrixView, isEnd: Bool, scratch: ScratchArena) {
    precondition(!ended && (isEnd || mel.rows % encoder.config.subsamplingFactor == 0))
    ended = isEnd
    scratch.scope {
      let hidden = scratch.matrix(
        rows: ConformerEncoder.outputFrames(mel.rows), columns: encoder.config.width)
      encoder.subsample(mel, cache: cache, into: hidden, scratch: scratch)
      pending.append(
        contentsOf: UnsafeBufferPointer(
          start: hidden.pointer, count: hidden.rows * hidden.columns))
    }
  }

  /// Ends the signal when no mel frames are left that could say so: the frames that have only been
  /// looked ahead to become final.
  public mutating func end() { ended = true }

  /// The next block, new frames and look-ahead together; nil while frames are lacking, and at the
  /// end.
  ///
  /// A whole block counts as cut off even if the signal ends with it: a stream hears of its end
  /// sooner or later, and what it makes of the block must not depend on that.
  ///
  /// - Parameter row: the block's first row in the step's matrix.
  public func nextBlock(at row: Int = 0) -> EncoderBlock? {
    let rows = min(pendingRows, wholeBlock)
    guard rows > 0, ended || rows == wholeBlock else { return nil }
    return EncoderBlock(
      cache: cache, range: row..<row + rows, finalRows: min(rows, shape.newFrames),
      isCutOff: rows == wholeBlock)
  }

  /// Copies the next block's rows to `x` and moves on by its new frames.
  public mutating func takeBlock(into x: MatrixView, finalRows: Int) {
    pending.withUnsafeMutableBufferPointer { pending in
      x.copy(from: MatrixView(pending.baseAddress!, rows: x.rows, columns: x.columns))
    }
    pending.removeFirst(finalRows * x.columns)
  }
}
