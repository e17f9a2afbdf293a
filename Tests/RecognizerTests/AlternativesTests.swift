import Audio
import Conformer
import Decoding
import Recognizer
import TestSupport
import Testing

/// N-best lists of final results on real speech.
@Suite struct AlternativesTests {
  private static let model = try! RecognizerModel(directory: Places.shippedModel)

  private func samples(_ name: String) throws -> [Float] {
    let reader = try AudioFileReader(path: Places.samples + "/" + name)
    var samples: [Float] = []
    while true {
      let part = try reader.read(16_000)
      if part.isEmpty { return samples }
      samples += part
    }
  }

  private func stream(_ decoding: DecodingOptions) -> RecognizerStream {
    Self.model.makeStream(
      RecognizerOptions(
        latency: Latency("640ms")!, decoding: decoding, wantsPartials: false))
  }

  private func finals(_ samples: [Float], _ decoding: DecodingOptions) -> [RecognitionResult] {
    let stream = stream(decoding)
    return stream.accept(samples) + stream.finish()
  }

  @Test(arguments: FinalPass.allCases)
  func theBestIsTheTextAndAllDiffer(pass: FinalPass) throws {
    let samples = try samples("landscape.flac")
    let plain = finals(samples, DecodingOptions(finalPass: pass, nBest: 0))
    #expect(plain.allSatisfy { $0.alternatives.isEmpty })
    for result in finals(samples, DecodingOptions(finalPass: pass, nBest: 5)) {
      #expect(result.alternatives[0].text == result.text)
      #expect(result.alternatives[0].words == result.words)
      #expect(Set(result.alternatives.map(\.text)).count == result.alternatives.count)
      if pass != .draft {
        #expect((2...5).contains(result.alternatives.count))
        let totals = result.alternatives.compactMap(\.scores?.total)
        #expect(totals.count == result.alternatives.count && totals == totals.sorted(by: >))
      }
      for alternative in result.alternatives {
        #expect(alternative.words.map(\.word).joined(separator: " ") == alternative.text)
      }
    }
    if pass != .none {
      let listed = finals(samples, DecodingOptions(finalPass: pass, nBest: 5))
      #expect(listed.map(\.text) == plain.map(\.text))
    }
  }

  /// The total is what the weights make of the other scores, so a user can weigh them anew.
  @Test func totalsAreWeightedSums() throws {
    let samples = try samples("landscape.flac")
    let weights = DecodingConfig(
      attentionWeight: 0.4, reverseWeight: 0.25, lengthBonus: 0.15, jointCTCWeight: 0.7,
      jointLengthBonus: 0.2)
    let words = try HotWords(
      [HotWord("saline")], boost: 3, segmenter: TokenSegmenter(Self.model.vocabulary))
    let count = TokenCountBias()
    for pass in [FinalPass.rescore, .fullContext, .joint] {
      let results = finals(
        samples,
        DecodingOptions(
          finalPass: pass, weights: weights,
          biases: [
            WeightedBias(words, name: "hot_words"),
            WeightedBias(count, weight: 0, name: "unasked"),
            WeightedBias(count, weight: 0.1, name: "length"),
          ], nBest: 4))
      #expect(!results.isEmpty)
      for scores in results.flatMap(\.alternatives).compactMap(\.scores) {
        #expect(scores.biases.map(\.name) == ["hot_words", "length"])
        let biases = scores.biases[0].score + 0.1 * scores.biases[1].score
        let attention = try #require(scores.attention)
        let tokens = Double(scores.tokenCount)
        #expect(scores.biases[1].score == tokens)
        let expected: Double
        if pass == .joint {
          // The bonus counts the end too.
          expected = 0.3 * attention + 0.7 * scores.ctc + biases + 0.2 * (tokens + 1)
          #expect(scores.reverseAttention == nil)
        } else {
          let reverse = try #require(scores.reverseAttention)
          expected =
            scores.ctc + biases + 0.4 * (0.75 * attention + 0.25 * reverse) + 0.15 * tokens
        }
        #expect(abs(scores.total - expected) < 1e-4 * max(1, abs(expected)))
      }
    }
  }

  /// What an observer settles is what a stream with these options says.
  @Test func observersSettleAsStreamsDo() throws {
    let samples =
      try samples("dreamland.mp3") + [Float](repeating: 0, count: 48_000)
      + samples("book-22khz.flac")
    let ways =
      FinalPass.allCases.map { DecodingOptions(finalPass: $0) } + [DecodingOptions(nBest: 3)]
    var heard: [[String]] = ways.map { _ in [] }
    let observed = stream(DecodingOptions())
    observed.observer = StreamObserver(ended: { settle in
      for (index, way) in ways.enumerated() { heard[index].append(settle(way)[0].text) }
    })
    _ = observed.accept(samples) + observed.finish()
    for (way, texts) in zip(ways, heard) {
      #expect(texts.count == 2)
      #expect(finals(samples, way).map(\.text) == texts)
    }
  }
}
