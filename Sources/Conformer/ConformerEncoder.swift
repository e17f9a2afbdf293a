import Tensor

/// The rows of one stream in a step over several streams.
public struct EncoderBlock {
  /// What the stream remembers; moved on by the step.
  public let cache: EncoderCache
  /// The stream's rows in the step's matrix: `finalRows` new frames, then look-ahead frames.
  public let range: Range<Int>
  /// New frames, C. Only they enter the cache; the look-ahead frames come again.
  public let finalRows: Int
  /// Whether the signal may go on beyond the block, so that the zeros there stand for frames that
  /// are not seen: edge kernels act in such blocks only.
  public let isCutOff: Bool

  public init(cache: EncoderCache, range: Range<Int>, finalRows: Int, isCutOff: Bool) {
    precondition(finalRows >= 0 && finalRows <= range.count)
    self.cache = cache
    self.range = range
    self.finalRows = finalRows
    self.isCutOff = isCutOff
  }
}

/// A Conformer encoder (Gulati et al. 2020) that runs in blocks with look-ahead.
///
/// A step takes C new encoder frames and the R frames after them. Attention sees the left context
/// in the cache and the whole block; the depthwise convolution sees the cached frames on its left
/// and zeros beyond the block on its right; where the signal goes on there, the model's edge kernels,
/// if it has them, make up for these zeros. R = 0 is plain chunk streaming, and one block over the
/// whole signal is the full-context encoder.
public final class ConformerEncoder: Sendable {
  public let config: EncoderConfig
  let subsampling: ConvSubsampling
  private let layers: [ConformerLayer]
  private let positions: RelativePositionCache

  /// - Parameter reader: at the tensors below `encoder.`.
  public init(_ reader: WeightReader, _ config: EncoderConfig, mels: Int) throws(WeightError) {
    self.config = config
    subsampling = try ConvSubsampling(reader["pre_encode"], config, mels: mels)
    var layers: [ConformerLayer] = []
    for index in 0..<config.layers {
      layers.append(try ConformerLayer(reader["layers"][index], config))
    }
    self.layers = layers
    positions = RelativePositionCache(
      projections: layers.map(\.attention.projectionOfPositions))
  }

  /// The state of a stream before its first frame.
  ///
  /// - Parameter leftContext: most final frames that attention looks back on; nil for all.
  public func makeCache(leftContext: Int?) -> EncoderCache {
    EncoderCache(
      config, mels: subsampling.mels, subsamplingRow: subsampling.rowCount,
      leftContext: leftContext)
  }

  /// Encoder frames of a signal of `melFrames` frames: ⌈melFrames / 4⌉.
  public static func outputFrames(_ melFrames: Int) -> Int {
    ConvSubsampling.outputFrames(melFrames)
  }

  /// Subsamples the next mel frames of a stream.
  ///
  /// - Parameters:
  ///   - mel: [t, mels], normalised. `t` is a multiple of 4 unless the signal ends here.
  ///   - hidden: [⌈t / 4⌉, d].
  public func subsample(
    _ mel: MatrixView, cache: EncoderCache, into hidden: MatrixView, scratch: ScratchArena
  ) {
    scratch.timed(.subsampling) {
      subsampling.step(mel, cache: cache, into: hidden, scratch: scratch)
    }
  }

  /// Runs all layers over one block of each of several streams, in place.
  ///
  /// - Parameters:
  ///   - x: subsampled frames of all blocks, [rows, d]; the encoder's output afterwards.
  ///   - afterLayer: called with the index and output of each layer.
  public func step(
    _ x: MatrixView, blocks: [EncoderBlock], scratch: ScratchArena,
    afterLayer: ((Int, MatrixView) -> Void)? = nil
  ) {
    var reach = 0
    for block in blocks {
      block.cache.reserve(finalRows: block.finalRows)
      reach = max(reach, block.cache.reach(rows: block.range.count))
    }
    let table = positions.positions(reach: reach)
    for (index, layer) in layers.enumerated() {
      layer.step(x, blocks: blocks, layer: index, positions: table, scratch: scratch)
      afterLayer?(index, x)
    }
    for block in blocks { block.cache.advance(finalRows: block.finalRows) }
  }
}
