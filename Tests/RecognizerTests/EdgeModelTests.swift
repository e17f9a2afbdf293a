import Decoding
import Foundation
import Recognizer
import TestSupport
import Testing

/// Streams of a model with edge kernels.
@Suite struct EdgeModelTests {
  private static let plain = try! RecognizerModel(directory: Places.shippedModel)

  private func results(
    _ model: RecognizerModel, _ samples: [Float], _ options: RecognizerOptions,
    pieces next: () -> Int = { .max }
  ) -> [RecognitionResult] {
    let stream = model.makeStream(options)
    var results: [RecognitionResult] = []
    var rest = samples[...]
    while !rest.isEmpty {
      let piece = next()
      results += stream.accept(rest.prefix(piece))
      rest = rest.dropFirst(piece)
    }
    return results + stream.finish()
  }

  /// Edge kernels are heard in blocks, and where the whole audio fits into one they are not, in the
  /// first pass or the last.
  @Test func fullContextIsUntouched() throws {
    let samples = try Speech.samples("dreamland.mp3")
    for pass in [FinalPass.none, .rescore, .fullContext] {
      let options = RecognizerOptions(
        latency: .fullContext, decoding: DecodingOptions(finalPass: pass))
      let full = results(EdgeModel.shared, samples, options)
      #expect(full == results(Self.plain, samples, options) && full.last?.text.isEmpty == false)
    }
    for latency in ["640ms", "320ms", "4/0"] {
      let options = RecognizerOptions(latency: Latency(latency)!)
      #expect(
        results(EdgeModel.shared, samples, options) != results(Self.plain, samples, options))
    }
  }

  /// Partial results and confidences included: whether a block is cut off does not depend on when
  /// the end of the audio is heard of.
  @Test(arguments: ["160ms", "640ms", "4/0", "full"])
  func anySplitGivesIdenticalResults(latency: String) throws {
    let speech = try Speech.samples("dreamland.mp3")
    let options = RecognizerOptions(latency: Latency(latency)!)
    var generator = SeededGenerator(seed: 8)
    // Some of them end with a block.
    for count in [speech.count, 640 * 95, 640 * 96, 640 * 97 + 1] {
      let samples = Array(speech.prefix(count))
      let whole = results(EdgeModel.shared, samples, options)
      #expect(whole.last?.text.isEmpty == false)
      for piece in [160, 7000, 0] {
        let split = results(EdgeModel.shared, samples, options) {
          piece > 0 ? piece : 1 + Int(exp(Double.random(in: 0..<log(40_000), using: &generator)))
        }
        #expect(split == whole, "pieces of \(piece)")
      }
    }
  }
}
