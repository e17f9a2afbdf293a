import Conformer
import Tensor
import TestSupport
import Testing

/// Step by step equals the whole, for every shape of block.
struct StreamingParityTests {
  /// Five times the largest difference seen.
  private static let tolerance: Float = 3e-5

  /// 6 × 5 × 4 shapes, 3 signals each.
  @Test(arguments: [1, 2, 4, 8, 16, 32], [0, 1, 4, 8, 16])
  func blocksEqualTheParallelForm(newFrames: Int, lookAhead: Int) {
    var generator = SeededGenerator(seed: UInt64(100 * newFrames + lookAhead))
    for left in [0, 16, 64, nil] as [Int?] {
      let shape = BlockShape(
        newFrames: newFrames, lookAheadFrames: lookAhead, leftContext: left)
      // One signal shorter than a block, one of about a block, one of several; every residue
      // modulo 4 comes up.
      let block = newFrames + lookAhead
      let lengths = [
        Int.random(in: 1...4 * block, using: &generator),
        4 * block + Int.random(in: -3...7, using: &generator),
        4 * block + Int.random(in: 1...4 * max(3 * newFrames, 24), using: &generator),
      ]
      for (index, length) in lengths.enumerated() {
        let models = index % 2 == 0 ? Models.kernel7 : .kernel15
        expectParity(models, frames: max(1, length), shape, &generator)
      }
    }
  }

  /// More frames than the first capacity of an unlimited cache (64 rows), than the first table of
  /// positions (128) and than a tile of queries (64).
  @Test(arguments: [1, 8, 70, 1000], [0, 5])
  func longSignals(newFrames: Int, lookAhead: Int) {
    var generator = SeededGenerator(seed: UInt64(newFrames + lookAhead))
    for left in [80, nil] as [Int?] {
      let shape = BlockShape(
        newFrames: newFrames, lookAheadFrames: lookAhead, leftContext: left)
      expectParity(.kernel7, frames: 4 * 150 + 2, shape, &generator)
    }
  }

  @Test(arguments: 1...13)
  func shortestSignals(frames: Int) {
    var generator = SeededGenerator(seed: UInt64(frames))
    for (newFrames, lookAhead) in [(1, 0), (1, 2), (3, 1), (8, 8)] {
      let shape = BlockShape(
        newFrames: newFrames, lookAheadFrames: lookAhead, leftContext: 2)
      for models in [Models.kernel7, .kernel15, .oddMels] {
        expectParity(models, frames: frames, shape, &generator)
      }
    }
  }

  /// Blocks shorter and longer than the rows with edges (3 and 7), and signals that end with a
  /// block, a frame before and after, in the middle of one and in the first.
  @Test(arguments: [1, 2, 4, 8, 20], [0, 1, 4, 9])
  func edgeKernels(newFrames: Int, lookAhead: Int) {
    var generator = SeededGenerator(seed: UInt64(100 * newFrames + lookAhead))
    let block = newFrames + lookAhead
    for models in Models.edges7 + Models.edges15 {
      for steps in [
        block, block + 3 * newFrames, block + 2 * newFrames - 1, block + newFrames + 1,
        Int.random(in: 1...block, using: &generator),
      ] {
        let left = [0, 16, nil].randomElement(using: &generator)!
        let shape = BlockShape(
          newFrames: newFrames, lookAheadFrames: lookAhead, leftContext: left)
        let frames = max(1, 4 * steps - Int.random(in: 0...3, using: &generator))
        expectParity(models, frames: frames, shape, &generator)
      }
    }
  }

  /// Edge kernels change what a block hears that is cut off, and nothing where the signal ends: a
  /// block with room for more frames hears what a model without them hears, to the last bit.
  @Test func theEndOfTheSignalIsNoEdge() {
    var generator = SeededGenerator(seed: 6)
    for (edges, plain) in zip(
      Models.edges7 + Models.edges15, [.kernel7, .kernel7, .kernel15, .kernel15] as [Models])
    {
      let mel = randomMel(40, &generator)
      func final(_ models: Models, _ newFrames: Int, _ lookAhead: Int) -> [Float] {
        var run = StepByStep(
          models.model,
          BlockShape(newFrames: newFrames, lookAheadFrames: lookAhead, leftContext: 64))
        run.run(mel, portions: [40])
        return run.final
      }
      for (newFrames, lookAhead) in [(11, 0), (10, 1), (1000, 64)] {
        #expect(final(edges, newFrames, lookAhead) == final(plain, newFrames, lookAhead))
      }
      for (newFrames, lookAhead) in [(10, 0), (9, 1), (4, 4), (3, 0)] {
        let (with, without) = (
          final(edges, newFrames, lookAhead), final(plain, newFrames, lookAhead)
        )
        #expect(with.count == without.count && largestDifference(with, without) > 1e-2)
      }
    }
  }

  /// A block as long as the signal is the full-context encoder, whatever the other numbers.
  @Test func oneBlockIsFullContext() {
    var generator = SeededGenerator(seed: 5)
    for frames in [1, 3, 4, 57, 100, 163] {
      let mel = randomMel(frames, &generator)
      let steps = (frames + 3) / 4
      let full = Models.kernel15.reference.run(
        rows(mel), BlockShape(newFrames: steps, lookAheadFrames: 0, leftContext: 0))
      for (newFrames, lookAhead, left) in [
        (steps, 0, 0), (steps, 7, 3), (steps + 1, 0, nil), (1_000_000, 16, 64),
      ] as [(Int, Int, Int?)] {
        var run = StepByStep(
          Models.kernel15.model,
          BlockShape(newFrames: newFrames, lookAheadFrames: lookAhead, leftContext: left))
        run.run(mel, portions: randomPortions(frames, &generator))
        #expect(difference(run.final, full.final) < Self.tolerance)
        #expect(run.lookAhead == [[]])
      }
    }
  }

  @Test func aSignalWithoutFramesHasNoBlock() {
    var run = StepByStep(
      Models.kernel7.model, BlockShape(newFrames: 4, lookAheadFrames: 4, leftContext: 4))
    run.run([], portions: [0])
    #expect(run.final.isEmpty && run.lookAhead.isEmpty)
  }

  private func expectParity(
    _ models: Models, frames: Int, _ shape: BlockShape, _ generator: inout SeededGenerator
  ) {
    let mels = models.model.config.features.mels
    let mel = randomMel(frames, mels: mels, &generator)
    let expected = models.reference.run(rows(mel, mels: mels), shape)
    let portions = randomPortions(frames, &generator)
    var run = StepByStep(models.model, shape)
    run.run(mel, portions: portions)
    let comment = "\(frames) mel frames in \(portions), \(shape)"
    var worst = difference(run.final, expected.final)
    #expect(worst < Self.tolerance, "log-probs: \(comment)")
    for (layer, values) in run.layers.enumerated() {
      let found = difference(values, expected.layers[layer])
      #expect(found < Self.tolerance, "layer \(layer): \(comment)")
      worst = max(worst, found)
    }
    #expect(run.lookAhead.count == expected.lookAhead.count, "blocks: \(comment)")
    for (block, (found, tentative)) in zip(run.lookAhead, expected.lookAhead).enumerated() {
      let found = difference(found, tentative)
      #expect(found < Self.tolerance, "look-ahead of block \(block): \(comment)")
      worst = max(worst, found)
    }
    #expect(run.stream.nextBlock() == nil)
  }
}
