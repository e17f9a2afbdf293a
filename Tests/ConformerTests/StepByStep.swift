import Conformer
import Tensor
import TestSupport

/// A tiny model, as the library loads it and as the reference reads it.
struct Models: Sendable {
  let model: ConformerModel
  let reference: ReferenceEncoder

  init(kernel: Int, edgeTaps: Int? = nil, mels: Int = 16, scalesInput: Bool = true) {
    let tiny = try! TinyModel(
      seed: UInt64(kernel), kernel: kernel, edgeTaps: edgeTaps, mels: mels,
      scalesInput: scalesInput)
    defer { tiny.remove() }
    model = try! ConformerModel(directory: tiny.directory)
    reference = try! ReferenceEncoder(directory: tiny.directory)
  }

  static let kernel7 = Models(kernel: 7)
  static let kernel15 = Models(kernel: 15)
  /// Odd numbers of bins at both subsampling convolutions, no scaling.
  static let oddMels = Models(kernel: 1, mels: 13, scalesInput: false)
  /// `kernel7` and `kernel15` with edge kernels, the second of each with all the taps they may have.
  static let edges7 = [1, 4].map { Models(kernel: 7, edgeTaps: $0) }
  static let edges15 = [3, 8].map { Models(kernel: 15, edgeTaps: $0) }
}

/// Random normalised mel frames: [frames · mels].
func randomMel(_ frames: Int, mels: Int = 16, _ generator: inout SeededGenerator) -> [Float] {
  (0..<frames * mels).map { _ in generator.normal(1) }
}

/// The same frames for the reference.
func rows(_ mel: [Float], mels: Int = 16) -> [[Double]] {
  stride(from: 0, to: mel.count, by: mels).map { mel[$0..<$0 + mels].map(Double.init) }
}

/// A random division of `frames` mel frames into portions, all but the last multiples of 4. Now and
/// then the last one is empty: the end of a signal may be known only later.
func randomPortions(_ frames: Int, _ generator: inout SeededGenerator) -> [Int] {
  var portions: [Int] = []
  var left = frames
  let largest = [1, 3, 12, 1000].randomElement(using: &generator)!
  while left > 0 {
    let portion = 4 * Int.random(in: 1...largest, using: &generator)
    portions.append(min(portion, left))
    left -= min(portion, left)
  }
  if frames % 4 == 0, Bool.random(using: &generator) { portions.append(0) }
  return portions
}

/// An encoder stepped block by block over a signal that comes in portions.
struct StepByStep {
  private let model: ConformerModel
  private let scratch = ScratchArena()
  private(set) var stream: EncoderStream
  /// Log-probabilities of the final frames, and of each block's look-ahead frames.
  private(set) var final: [Float] = []
  private(set) var lookAhead: [[Float]] = []
  /// Final frames after each layer.
  private(set) var layers: [[Float]]

  init(_ model: ConformerModel, _ shape: BlockShape) {
    self.model = model
    stream = EncoderStream(encoder: model.encoder, shape: shape)
    layers = Array(repeating: [], count: model.config.encoder.layers)
  }

  mutating func run(_ mel: [Float], portions: [Int]) {
    var start = 0
    for (index, portion) in portions.enumerated() {
      accept(mel, start..<start + portion, isEnd: index == portions.count - 1)
      start += portion
      while let block = stream.nextBlock() { step(block) }
    }
  }

  mutating func accept(_ mel: [Float], _ frames: Range<Int>, isEnd: Bool) {
    if frames.isEmpty, isEnd {
      stream.end()
      return
    }
    let mels = model.config.features.mels
    mel.withMatrix(columns: mels) {
      stream.subsample($0.rows(frames), isEnd: isEnd, scratch: scratch)
    }
  }

  private mutating func step(_ block: EncoderBlock) {
    var outputs = layers
    scratch.scope {
      let hidden = scratch.matrix(rows: block.range.count, columns: model.config.encoder.width)
      stream.takeBlock(into: hidden, finalRows: block.finalRows)
      model.encoder.step(
        hidden, blocks: [block], scratch: scratch,
        afterLayer: { outputs[$0] += $1.rows(0..<block.finalRows).values })
      keep(hidden, finalRows: block.finalRows)
    }
    layers = outputs
  }

  /// Keeps the log-probabilities of a block's outputs.
  mutating func keep(_ hidden: MatrixView, finalRows: Int) {
    scratch.scope {
      let all = scratch.matrix(rows: hidden.rows, columns: model.config.ctc.vocabulary)
      model.ctc.logProbs(hidden, into: all)
      final += all.rows(0..<finalRows).values
      lookAhead.append(all.rows(finalRows..<hidden.rows).values)
    }
  }

  mutating func takeBlock(into hidden: MatrixView, finalRows: Int) {
    stream.takeBlock(into: hidden, finalRows: finalRows)
  }
}

/// Largest difference of the library's numbers from the reference's; infinite if they are not
/// equally many.
func difference(_ found: [Float], _ reference: [[Double]]) -> Float {
  let expected = reference.flatMap { $0.map(Float.init) }
  return found.count == expected.count ? largestDifference(found, expected) : .infinity
}
