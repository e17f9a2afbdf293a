import Audio
import Decoding
import Foundation
import Recognizer
import TestSupport
import Testing

@Suite struct TextAlignerTests {
  private static let model = Result { try RecognizerModel(directory: Places.shippedModel) }
  private let model: RecognizerModel

  init() throws { model = try Self.model.get() }

  @Test(arguments: ["landscape.flac", "book-22khz.flac"])
  func placesTheWordsOfASample(file: String) throws {
    let samples = try samples(file)
    let text = try text(file)
    let aligner = TextAligner(model: model)
    aligner.accept(samples)
    let alignment = try aligner.finish(try TextAligner.spell(text, model: model))

    let words = alignment.words
    #expect(words.map(\.word) == text.split(separator: " ").map(String.init))
    #expect(words[0].start >= 0 && words.last!.end <= aligner.duration)
    #expect(words.allSatisfy { $0.start < $0.end && (0...1).contains($0.confidence) })
    for (before, after) in zip(words, words.dropFirst()) {
      #expect(before.end <= after.start + 1e-9)
    }
    #expect(words.count { $0.confidence > 0.3 } > words.count * 3 / 4)

    // Where the recogniser hears the same word, it hears it at the same time.
    let heard = recognized(samples)
    let shared = commonWords(words, heard)
    #expect(shared.count > words.count / 2)
    let close = shared.count { abs($0.start - $1.start) < 0.2 && abs($0.end - $1.end) < 0.2 }
    #expect(Double(close) > 0.9 * Double(shared.count), "\(close) of \(shared.count)")
  }

  @Test func portionsDoNotMatter() throws {
    let samples = try samples("book-22khz.flac")
    let text = try TextAligner.spell(text("book-22khz.flac"), model: model)
    let whole = TextAligner(model: model)
    whole.accept(samples)
    let portioned = TextAligner(model: model)
    for start in stride(from: 0, to: samples.count, by: 7777) {
      portioned.accept(samples[start..<min(samples.count, start + 7777)])
    }
    let (one, many) = (try whole.finish(text), try portioned.finish(text))
    #expect(one.tokens.map(\.start) == many.tokens.map(\.start))
    expectSame(one.words, many.words)
  }

  @Test func refusesTooMuchText() throws {
    let aligner = TextAligner(model: model)
    aligner.accept([Float](repeating: 0, count: 4000))
    let text = try TextAligner.spell("far more words than a quarter second holds", model: model)
    let error = #expect(throws: AlignmentError.self) { try aligner.finish(text) }
    guard case .tooShort = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    let silent = TextAligner(model: model)
    #expect(throws: AlignmentError.self) {
      try silent.finish(try TextAligner.spell("a", model: model))
    }
  }

  @Test func lastLayerOfTheLensIsTheText() throws {
    for file in ["landscape.flac", "book-22khz.flac"] {
      let samples = try samples(file)
      for latency in [Latency.fullContext, .blocks(newFrames: 8, lookAheadFrames: 8)] {
        let lens = EncoderLens(model: model, latency: latency)
        lens.accept(samples)
        let layers = lens.finish()
        #expect(layers.count == model.layerCount)
        let heard = finals(samples, latency)
        #expect(layers.last == heard.map(\.text).filter { !$0.isEmpty }.joined(separator: " "))
        #expect(layers.first != layers.last)
      }
    }
  }

  @Test func observerSeesEveryFrameAndChangesNothing() throws {
    let samples = try samples("book-22khz.flac")
    let latency = Latency.blocks(newFrames: 8, lookAheadFrames: 8)
    let stream = model.makeStream(RecognizerOptions(latency: latency))
    final class Seen {
      var values: [Float] = []
      var last: [Float] = []
    }
    let seen = Seen()
    stream.observer = StreamObserver(
      logProbs: { logProbs in
        for frame in 0..<logProbs.frames { seen.values += Array(logProbs[frame]) }
      },
      layerLogProbs: { [layerCount = model.layerCount] layer, logProbs in
        guard layer == layerCount - 1 else { return }
        for frame in 0..<logProbs.frames { seen.last += Array(logProbs[frame]) }
      })
    let observed = stream.accept(samples) + stream.finish()
    let plain = model.makeStream(RecognizerOptions(latency: latency))
    let expected = plain.accept(samples) + plain.finish()
    #expect(observed.map(\.text) == expected.map(\.text))
    #expect(observed.map(\.committed) == expected.map(\.committed))
    for (a, b) in zip(observed, expected) { expectSame(a.words, b.words) }
    let frames = Double(samples.count) / 640
    #expect(abs(Double(seen.values.count / model.vocabulary.count) - frames) <= 1)
    // The head sees other rows beside these in the stream's own pass.
    #expect(largestDifference(seen.values, seen.last) < 1e-4)
  }

  // MARK: Helpers

  private func samples(_ file: String) throws -> [Float] {
    let reader = try AudioFileReader(
      path: Places.samples + "/" + file, sampleRate: model.sampleRate)
    var samples: [Float] = []
    while true {
      let part = try reader.read(16_000)
      if part.isEmpty { return samples }
      samples += part
    }
  }

  /// Confidences may differ by rounding: products on several threads add up in any order.
  private func expectSame(_ a: [Word], _ b: [Word]) {
    #expect(a.map(\.word) == b.map(\.word))
    #expect(a.map(\.start) == b.map(\.start) && a.map(\.end) == b.map(\.end))
    #expect(zip(a, b).allSatisfy { abs($0.confidence - $1.confidence) < 1e-4 })
  }

  private func text(_ file: String) throws -> String {
    let table = try String(contentsOfFile: Places.samples + "/texts.tsv", encoding: .utf8)
    let row = table.split(separator: "\n").first { $0.hasPrefix(file + "\t") }
    return String(try #require(row).split(separator: "\t")[1])
  }

  private func finals(_ samples: [Float], _ latency: Latency) -> [RecognitionResult] {
    let stream = model.makeStream(RecognizerOptions(latency: latency, wantsPartials: false))
    return (stream.accept(samples) + stream.finish()).filter { $0.kind == .final }
  }

  private func recognized(_ samples: [Float]) -> [Word] {
    finals(samples, .fullContext).flatMap(\.words)
  }

  /// Pairs of a longest common subsequence.
  private func commonWords(_ a: [Word], _ b: [Word]) -> [(Word, Word)] {
    var lengths = Array(repeating: Array(repeating: 0, count: b.count + 1), count: a.count + 1)
    for i in a.indices.reversed() {
      for j in b.indices.reversed() {
        lengths[i][j] =
          a[i].word == b[j].word
          ? lengths[i + 1][j + 1] + 1 : max(lengths[i + 1][j], lengths[i][j + 1])
      }
    }
    var pairs: [(Word, Word)] = []
    var (i, j) = (0, 0)
    while i < a.count, j < b.count {
      if a[i].word == b[j].word {
        pairs.append((a[i], b[j]))
        (i, j) = (i + 1, j + 1)
      } else if lengths[i + 1][j] >= lengths[i][j + 1] {
        i += 1
      } else {
        j += 1
      }
    }
    return pairs
  }
}
