import Decoding
import Foundation
import Recognizer
import TestSupport
import Testing

/// The shipped model in int8 hears what it hears in float32, as reliably.
@Suite struct Int8ModelTests {
  private static let float = try! RecognizerModel(directory: Places.shippedModel)
  private static let samples = [
    "book-22khz.flac", "stereo-48khz.wav", "dreamland.mp3", "switzerland.mp3", "landscape.flac",
    "telephone-8khz.wav", "chapter.opus",
  ]

  private func words(
    _ model: RecognizerModel, _ samples: [Float], _ options: RecognizerOptions
  ) -> [String] {
    let stream = model.makeStream(options)
    return (stream.accept(samples) + stream.finish()).filter { $0.kind == .final }
      .flatMap { $0.words.map(\.word) }
  }

  /// Words to change, leave out or put in.
  private func distance(_ a: [String], _ b: [String]) -> Int {
    var row = Array(0...b.count)
    for (i, word) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, other) in b.enumerated() {
        (diagonal, row[j + 1]) = (
          row[j + 1], min(row[j] + 1, row[j + 1] + 1, diagonal + (word == other ? 0 : 1))
        )
      }
    }
    return row[b.count]
  }

  /// Of the 513 words of the samples at most 2 % differ; it was 4 to 7 of them when this was written.
  @Test(arguments: ["full", "640ms"], [FinalPass.none, .rescore])
  func hearsAlmostTheSame(latency: String, finalPass: FinalPass) throws {
    let options = RecognizerOptions(
      latency: Latency(latency)!, decoding: DecodingOptions(finalPass: finalPass),
      wantsPartials: false)
    var (different, all) = (0, 0)
    for name in Self.samples {
      let samples = try Speech.samples(name)
      let expected = words(Self.float, samples, options)
      different += distance(expected, words(Int8Model.shared, samples, options))
      all += expected.count
    }
    #expect(all > 500)
    #expect(different * 50 <= all, "\(different) of \(all) words differ")
  }

  private func results(_ stream: RecognizerStream, _ samples: [Float], pieces next: () -> Int)
    -> [RecognitionResult]
  {
    var results: [RecognitionResult] = []
    var start = 0
    while start < samples.count {
      let end = min(samples.count, start + next())
      results += stream.accept(samples[start..<end])
      start = end
    }
    return results + stream.finish()
  }

  /// Partial results and confidences included: a row's scale is a matter of the row alone.
  @Test(arguments: ["160ms", "640ms", "4/0", "full"])
  func anySplitGivesIdenticalResults(latency: String) throws {
    let samples = try Speech.samples("dreamland.mp3")
    let options = RecognizerOptions(latency: Latency(latency)!)
    let whole = results(Int8Model.shared.makeStream(options), samples) { samples.count }
    #expect(whole.last?.text.isEmpty == false)
    var generator = SeededGenerator(seed: 8)
    for piece in [1, 160, 7000, 0] {
      let split = results(Int8Model.shared.makeStream(options), samples) {
        piece > 0 ? piece : 1 + Int(exp(Double.random(in: 0..<log(40_000), using: &generator)))
      }
      #expect(split == whole, "pieces of \(piece)")
    }
  }
}
