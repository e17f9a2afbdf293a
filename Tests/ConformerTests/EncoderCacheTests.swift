import Conformer
import Tensor
import TestSupport
import Testing

/// Caches: many streams in one step, reset, and bounded memory.
struct EncoderCacheTests {
  private struct Signal {
    let mel: [Float]
    let shape: BlockShape
    let alone: StepByStep
  }

  private func signal(
    _ models: Models, _ frames: Int, _ shape: (Int, Int, Int?),
    _ generator: inout SeededGenerator
  ) -> Signal {
    let shape = BlockShape(
      newFrames: shape.0, lookAheadFrames: shape.1, leftContext: shape.2)
    let mel = randomMel(frames, &generator)
    var alone = StepByStep(models.model, shape)
    alone.run(mel, portions: [frames])
    return Signal(mel: mel, shape: shape, alone: alone)
  }

  @Test func aBatchEqualsEachStreamAlone() { expectBatchEqualsAlone(.kernel7) }

  /// Edge kernels act in the blocks of some streams, while others are at their end.
  @Test(arguments: [0, 1])
  func edgesAreEachStreamsOwn(index: Int) { expectBatchEqualsAlone(Models.edges7[index]) }

  /// Streams of different shapes, lengths and ages in one batch; a new one joins every round.
  private func expectBatchEqualsAlone(_ models: Models) {
    var generator = SeededGenerator(seed: 77)
    let model = models.model
    let signals = [
      signal(models, 201, (8, 8, 64), &generator), signal(models, 37, (1, 0, 16), &generator),
      signal(models, 3, (4, 4, 0), &generator), signal(models, 330, (16, 0, nil), &generator),
      signal(models, 90, (2, 9, 5), &generator), signal(models, 64, (1000, 0, 0), &generator),
    ]
    var together = signals.map { StepByStep(model, $0.shape) }
    for index in signals.indices {
      together[index].accept(
        signals[index].mel, 0..<signals[index].mel.count / 16, isEnd: true)
    }
    let scratch = ScratchArena()
    var round = 0
    while true {
      var active: [Int] = []
      var blocks: [EncoderBlock] = []
      for index in signals.indices where index <= round {
        let row = blocks.last?.range.upperBound ?? 0
        guard let block = together[index].stream.nextBlock(at: row) else { continue }
        active.append(index)
        blocks.append(block)
      }
      round += 1
      guard let rows = blocks.last?.range.upperBound else { break }
      scratch.scope {
        let hidden = scratch.matrix(rows: rows, columns: 16)
        for (index, block) in zip(active, blocks) {
          together[index].takeBlock(
            into: hidden.rows(block.range), finalRows: block.finalRows)
        }
        model.encoder.step(hidden, blocks: blocks, scratch: scratch)
        for (index, block) in zip(active, blocks) {
          together[index].keep(hidden.rows(block.range), finalRows: block.finalRows)
        }
      }
    }
    for (found, signal) in zip(together, signals) {
      #expect(found.final.count == signal.alone.final.count)
      #expect(largestDifference(found.final, signal.alone.final) < 1e-5)
      #expect(found.lookAhead.count == signal.alone.lookAhead.count)
      for (found, alone) in zip(found.lookAhead, signal.alone.lookAhead) {
        #expect(largestDifference(found, alone) < 1e-5)
      }
    }
  }

  /// Outputs of blocks of 4 final and 2 look-ahead frames over `mel`, with a cache.
  private func outputs(_ mel: [Float], _ cache: EncoderCache) -> [Float] {
    let (scratch, encoder) = (ScratchArena(), Models.kernel15.model.encoder)
    var outputs: [Float] = []
    mel.withMatrix(columns: 16) { mel in
      scratch.scope {
        let x = scratch.matrix(rows: ConformerEncoder.outputFrames(mel.rows), columns: 16)
        encoder.subsample(mel, cache: cache, into: x, scratch: scratch)
        for start in stride(from: 0, to: x.rows, by: 4) {
          let (end, final) = (min(start + 6, x.rows), min(4, x.rows - start))
          let hidden = scratch.matrix(rows: end - start, columns: 16)
          hidden.copy(from: x.rows(start..<end))
          encoder.step(
            hidden,
            blocks: [
              EncoderBlock(
                cache: cache, range: 0..<hidden.rows, finalRows: final, isCutOff: hidden.rows == 6)
            ], scratch: scratch)
          outputs += hidden.values
        }
      }
    }
    return outputs
  }

  @Test(arguments: [0, 5, 64, nil] as [Int?])
  func resetIsAsNew(leftContext: Int?) {
    var generator = SeededGenerator(seed: 3)
    let encoder = Models.kernel15.model.encoder
    let (first, second) = (randomMel(401, &generator), randomMel(93, &generator))
    let fresh = outputs(second, encoder.makeCache(leftContext: leftContext))
    let used = encoder.makeCache(leftContext: leftContext)
    _ = outputs(first, used)
    #expect(outputs(second, used) != fresh, "a used cache remembers")
    used.reset()
    #expect(outputs(second, used) == fresh)
  }

  @Test func memoryIsBoundedByTheLeftContext() {
    let (scratch, encoder) = (ScratchArena(), Models.kernel7.model.encoder)
    let cache = encoder.makeCache(leftContext: 16)
    let bytes = cache.byteCount
    var generator = SeededGenerator(seed: 4)
    var scratchBytes = 0
    for block in 0..<2000 {
      randomMel(4, &generator).withMatrix(columns: 16) { mel in
        scratch.scope {
          let x = scratch.matrix(rows: 1, columns: 16)
          encoder.subsample(mel, cache: cache, into: x, scratch: scratch)
          encoder.step(
            x,
            blocks: [EncoderBlock(cache: cache, range: 0..<1, finalRows: 1, isCutOff: true)],
            scratch: scratch)
          #expect(x.values.allSatisfy { $0.isFinite })
        }
      }
      if block == 20 { scratchBytes = scratch.byteCount }
      #expect(cache.byteCount == bytes)
    }
    #expect(scratch.byteCount == scratchBytes)
  }

  @Test func anUnlimitedLeftContextGrows() {
    var generator = SeededGenerator(seed: 8)
    let cache = Models.kernel15.model.encoder.makeCache(leftContext: nil)
    let bytes = cache.byteCount
    _ = outputs(randomMel(4 * 70, &generator), cache)
    #expect(cache.byteCount > bytes)
  }

  @Test func aStepOverLookAheadOnlyRemembersNothing() {
    var generator = SeededGenerator(seed: 9)
    let (scratch, encoder) = (ScratchArena(), Models.kernel7.model.encoder)
    let cache = encoder.makeCache(leftContext: 8)
    _ = outputs7(encoder, cache, randomMel(16, &generator), finalRows: 4, scratch)
    let next = (0..<4 * 16).map { _ in generator.normal(1) }
    let first = step(encoder, cache, next, finalRows: 0, scratch)
    #expect(step(encoder, cache, next, finalRows: 0, scratch) == first)
    #expect(step(encoder, cache, next, finalRows: 4, scratch) == first)
    #expect(step(encoder, cache, next, finalRows: 4, scratch) != first)
  }

  private func outputs7(
    _ encoder: ConformerEncoder, _ cache: EncoderCache, _ mel: [Float], finalRows: Int,
    _ scratch: ScratchArena
  ) -> [Float] {
    let x = FloatStorage(count: finalRows * 16)
    mel.withMatrix(columns: 16) {
      encoder.subsample($0, cache: cache, into: x.view(columns: 16), scratch: scratch)
    }
    return step(encoder, cache, x.values, finalRows: finalRows, scratch)
  }

  private func step(
    _ encoder: ConformerEncoder, _ cache: EncoderCache, _ x: [Float], finalRows: Int,
    _ scratch: ScratchArena
  ) -> [Float] {
    let hidden = FloatStorage(x)
    defer { withExtendedLifetime(hidden) {} }
    let view = hidden.view(columns: 16)
    encoder.step(
      view,
      blocks: [
        EncoderBlock(
          cache: cache, range: 0..<view.rows, finalRows: finalRows, isCutOff: true)
      ], scratch: scratch)
    return hidden.values
  }
}
