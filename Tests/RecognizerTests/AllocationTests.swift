import AllocationCounter
import Audio
import Recognizer
import TestSupport
import Testing

/// After a warm-up no chunk of a live stream takes memory from the heap.
struct AllocationTests {
  /// The counter counts: an array is one allocation.
  @Test func arraysAreCounted() {
    ac_start()
    let array = [Int](repeating: 1, count: 1000)
    let count = ac_stop(0)
    #expect(count >= 1 && array.count == 1000)
  }

  private func expectNone(_ model: RecognizerModel, _ options: RecognizerOptions) throws {
    // Half a minute; the samples come in portions that fit no block.
    let reader = try AudioFileReader(path: Places.samples + "/landscape.flac")
    let speech = try reader.read(16_000 * 60)
    let samples = Array((speech + speech).prefix(16_000 * 30))
    let stream = model.makeStream(options)
    var quietChunks = 0
    samples.withUnsafeBufferPointer { samples in
      for start in stride(from: 0, to: samples.count, by: 1_111) {
        let portion = UnsafeBufferPointer(
          rebasing: samples[start..<min(start + 1_111, samples.count)])
        ac_start()
        let results = stream.accept(portion)
        // What is said of a result is the listener's to keep.
        let count = ac_stop(results.isEmpty && stream.duration > 4 ? 1 : 0)
        guard results.isEmpty, stream.duration > 4 else { continue }
        quietChunks += 1
        #expect(count == 0, "at \(stream.duration) s")
      }
    }
    #expect(quietChunks > 100)
    #expect(stream.finish().contains { !$0.text.isEmpty })
  }

  @Test(arguments: [
    Latency.blocks(newFrames: 8, lookAheadFrames: 8), .blocks(newFrames: 4, lookAheadFrames: 0),
  ])
  func liveStream(_ latency: Latency) throws {
    let model = try RecognizerModel(directory: Places.shippedModel)
    for wantsPartials in [false, true] {
      try expectNone(model, RecognizerOptions(latency: latency, wantsPartials: wantsPartials))
    }
  }

  @Test func edgeKernels() throws {
    try expectNone(
      EdgeModel.shared, RecognizerOptions(latency: .blocks(newFrames: 8, lookAheadFrames: 8)))
  }

  @Test func int8() throws {
    try expectNone(
      Int8Model.shared, RecognizerOptions(latency: .blocks(newFrames: 8, lookAheadFrames: 8)))
  }
}
