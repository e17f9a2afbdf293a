import Tensor

/// 4× striding subsampling: two 3×3 convolutions of stride 2, padded by 1 in time and frequency,
/// each followed by ReLU, then a linear layer (NeMo's `ConvSubsampling`, `striding`).
///
/// Encoder frame k hears mel frames 4k - 3 … 4k + 3, so a step over whole groups of four mel
/// frames needs one mel frame and one row of the first convolution from the step before.
struct ConvSubsampling: Sendable {
  let mels: Int
  let channels: Int
  /// Frequency bins after the first and the second convolution.
  let bins: (first: Int, second: Int)
  /// Bins of a row of the first convolution with the zeros that the second one pads.
  var paddedBins: Int { 2 * bins.second + 1 }
  /// Floats of such a row.
  var rowCount: Int { paddedBins * channels }

  private let first: Linear  // [9 (time, frequency), channels]
  private let second: Linear  // [9 (time, frequency) · channels, channels]
  private let output: Linear  // [bins.second · channels, d]

  /// Encoder frames of a signal of `melFrames` frames.
  static func outputFrames(_ melFrames: Int) -> Int { (melFrames + 3) / 4 }

  init(_ reader: WeightReader, _ config: EncoderConfig, mels: Int) throws(WeightError) {
    self.mels = mels
    channels = config.subsamplingChannels
    bins = ((mels + 1) / 2, ((mels + 1) / 2 + 1) / 2)
    let (c, f) = (channels, bins.second)
    let conv = reader["conv"]
    first = Linear(
      weight: .float32(try conv["0"].tensor("weight", [c, 1, 3, 3])),
      bias: try conv["0"].tensor("bias", [c]), inputs: 9, arena: reader.arena)
    // [out, in, 3, 3] -> [out, (3, 3, in)]: a window's channels lie together in memory.
    second = Linear(
      weight: try conv["2"].linearWeight([c, c, 3, 3]).exchangingLastAxes([c, c, 9]),
      bias: try conv["2"].tensor("bias", [c]), inputs: 9 * c,
      arena: reader.arena)
    // [d, (channel, bin)] -> [d, (bin, channel)], and √d folded in.
    let scale = config.scalesInput ? Float(config.width).squareRoot() : 1
    let weight = try reader["out"].linearWeight([config.width, c * f])
      .exchangingLastAxes([config.width, c, f]).scaled(by: scale)
    let bias = try reader["out"].tensor("bias", [config.width])
    for index in 0..<bias.count { bias.pointer[index] *= scale }
    output = Linear(weight: weight, bias: bias, inputs: c * f, arena: reader.arena)
  }

  /// Subsamples the next mel frames of a stream.
  ///
  /// - Parameters:
  ///   - mel: [t, mels], normalised. `t` is a multiple of 4 unless the signal ends here.
  ///   - hidden: [⌈t / 4⌉, d].
  func step(
    _ mel: MatrixView, cache: EncoderCache, into hidden: MatrixView, scratch: ScratchArena
  ) {
    precondition(hidden.rows == Self.outputFrames(mel.rows))
    // Tiles keep the rows of the first convolution, 58 KB per frame, in the cache.
    let tile = 8
    for start in stride(from: 0, to: hidden.rows, by: tile) {
      let end = min(start + tile, hidden.rows)
      scratch.scope {
        stepTile(
          mel.rows(4 * start..<min(4 * end, mel.rows)), cache: cache,
          into: hidden.rows(start..<end), scratch: scratch)
      }
    }
  }

  private func stepTile(
    _ mel: MatrixView, cache: EncoderCache, into hidden: MatrixView, scratch: ScratchArena
  ) {
    let frames = hidden.rows
    // Mel frames from the one before this tile to the end of its last group of four. Zeros stand
    // in for frames after the end of the signal.
    let input = scratch.matrix(rows: 4 * frames + 1, columns: mels)
    input.rows(0..<1).copy(from: cache.lastMelFrame)
    input.rows(1..<1 + mel.rows).copy(from: mel)
    input.rows(1 + mel.rows..<input.rows).fill(0)
    cache.lastMelFrame.copy(from: input.rows(input.rows - 1..<input.rows))

    let rows = scratch.matrix(rows: 2 * frames + 1, columns: rowCount)
    rows.rows(0..<1).copy(from: cache.lastSubsamplingRow)
    for row in 1..<rows.rows {
      convolve(input.rows(2 * row - 2..<2 * row + 1), into: rows.rows(row..<row + 1), scratch)
    }
    // With one or two frames in the last group the first convolution has no second row for it.
    if mel.rows % 4 == 1 || mel.rows % 4 == 2 { rows.rows(rows.rows - 1..<rows.rows).fill(0) }
    cache.lastSubsamplingRow.copy(from: rows.rows(rows.rows - 1..<rows.rows))

    let maps = scratch.matrix(rows: frames * bins.second, columns: channels)
    second.applyToWindows(
      of: rows, segments: 3, rowStep: 2, columnStep: 2 * channels, perRow: bins.second,
      into: maps, activation: .relu)
    output.apply(
      MatrixView(maps.pointer, rows: frames, columns: bins.second * channels), into: hidden)
  }

  /// One row of the first convolution. mel: [3, mels]; row: [1, paddedBins · channels].
  private func convolve(_ mel: MatrixView, into row: MatrixView, _ scratch: ScratchArena) {
    scratch.scope {
      let windows = scratch.matrix(rows: bins.first, columns: 9)
      for bin in 0..<bins.first {
        for time in 0..<3 {
          for tap in 0..<3 {
            let index = 2 * bin + tap - 1
            windows.pointer[bin * 9 + time * 3 + tap] =
              index >= 0 && index < mels ? mel.pointer[time * mel.stride + index] : 0
          }
        }
      }
      row.fill(0)
      first.apply(
        windows,
        into: MatrixView(row.pointer + channels, rows: bins.first, columns: channels),
        activation: .relu)
    }
  }
}
