import Audio
import Decoding
import Recognizer
import TestSupport
import Testing

/// Where utterances of real speech end, and that nothing is lost there.
@Suite struct EndpointTests {
  private static let model = try! RecognizerModel(directory: Places.shippedModel)
  private static let detector = try! SileroVAD(
    path: Places.package + "/models/silero-vad/silero_vad_16k.safetensors")

  /// The final results.
  private func finals(
    _ samples: [Float], _ rules: EndpointRules = EndpointRules(), latency: String = "640ms",
    vad: Bool = false, _ decoding: DecodingOptions = DecodingOptions(), piece: Int = .max
  ) -> [RecognitionResult] {
    let stream = Self.model.makeStream(
      RecognizerOptions(
        latency: Latency(latency)!, endpointRules: rules,
        voiceActivityDetector: vad ? Self.detector : nil, decoding: decoding,
        wantsPartials: false))
    var results: [RecognitionResult] = []
    var rest = samples[...]
    while !rest.isEmpty {
      results += stream.accept(rest.prefix(piece))
      rest = rest.dropFirst(piece)
    }
    return results + stream.finish()
  }

  private func text(_ results: [RecognitionResult]) -> String {
    results.map(\.text).filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// Silence is told, and tells nothing else apart from it.
  @Test(arguments: FinalPass.allCases, [false, true])
  func silenceWithoutTextIsTold(pass: FinalPass, vad: Bool) throws {
    let speech = try Speech.samples("dreamland.mp3")
    let samples =
      Speech.noise(seconds: 4) + speech + [Float](repeating: 0, count: 5 * 16_000) + speech
      + Speech.noise(seconds: 4.5)
    let decoding = DecodingOptions(finalPass: pass)
    let off = finals(samples, vad: vad, decoding)
    #expect(off.count == 2 && off.allSatisfy { !$0.text.isEmpty })
    let rules = EndpointRules(silenceWithoutText: 1)
    let on = finals(samples, rules, vad: vad, decoding)
    #expect(on.map(\.utterance) == Array(on.indices))
    let said = on.filter { !$0.text.isEmpty }
    #expect(said.map(\.words) == off.map(\.words))
    // About as many as seconds of silence before the speech, between, and after.
    let places = on.indices.filter { !on[$0].text.isEmpty }
    let silences = [places[0], places[1] - places[0] - 1, on.count - places[1] - 1]
    #expect((3...5).contains(silences[0]), "\(silences)")
    #expect((4...6).contains(silences[1]), "\(silences)")
    #expect((3...5).contains(silences[2]), "\(silences)")
    #expect(on.filter(\.text.isEmpty).allSatisfy { $0.words.isEmpty && $0.committed.isEmpty })
    #expect(finals(samples, rules, vad: vad, decoding, piece: 777) == on)
  }

  /// In nothing but silence there is always a first utterance, and with the rule many.
  @Test(arguments: [false, true]) func silenceAlone(vad: Bool) {
    let silence = Speech.noise(seconds: 10)
    #expect(finals(silence, vad: vad).map(\.text) == [""])
    let told = finals(silence, EndpointRules(silenceWithoutText: 2), vad: vad)
    #expect(told.map(\.text) == Array(repeating: "", count: 5))
    let never = EndpointRules(silenceWithoutText: 60)
    #expect(finals(silence, never, vad: vad).map(\.text) == [""])
  }

  /// Whatever ends utterances, the words are those of the whole stream at their places in it.
  @Test(arguments: [0, 0.1, 0.5, 3]) func noOnsetIsCut(gap: Double) throws {
    let silence = [Float](repeating: 0, count: Int(gap * 16_000))
    let names = ["dreamland.mp3", "book-22khz.flac", "landscape.flac", "telephone-8khz.wav"]
    let samples = try names.flatMap { silence + (try Speech.samples($0)) } + silence
    let whole = finals(samples, EndpointRules(trailingSilence: nil, longestUtterance: nil))
    #expect(whole.count == 1)
    for vad in [false, true] {
      for rules in [
        EndpointRules(), EndpointRules(trailingSilence: 0.5, silenceWithoutText: 0.5),
        EndpointRules(trailingSilence: nil, longestUtterance: 4),
      ] {
        let divided = finals(samples, rules, vad: vad)
        #expect(divided.count > (gap == 3 ? 3 : 1))
        #expect(text(divided) == whole[0].text, "\(rules), VAD: \(vad)")
        let words = divided.flatMap(\.words)
        for (word, expected) in zip(words, whole[0].words) {
          #expect(abs(word.start - expected.start) < 0.041, "\(word), \(expected)")
        }
        for (word, next) in zip(words, words.dropFirst()) {
          #expect(word.start <= word.end && word.end <= next.start + 1e-9, "\(word), \(next)")
        }
      }
    }
  }

  /// Settled words do not overlap either, and each utterance is heard from its onset.
  @Test(arguments: FinalPass.allCases) func settledTimesGoOn(pass: FinalPass) throws {
    let samples =
      try Speech.samples("landscape.flac") + Speech.noise(seconds: 0.2)
      + Speech.samples("switzerland.mp3")
    for rules in [
      EndpointRules(trailingSilence: 0.2), EndpointRules(trailingSilence: nil, longestUtterance: 3),
    ] {
      let results = finals(samples, rules, DecodingOptions(finalPass: pass))
      #expect(results.count > 4)
      let words = results.flatMap(\.words)
      for (word, next) in zip(words, words.dropFirst()) {
        #expect(word.start <= word.end && word.end <= next.start + 1e-9, "\(word), \(next)")
      }
    }
  }

  /// Without look-ahead a frame is decoded as soon as its last sample is there; what the detector
  /// knows by then does not depend on the samples that came along.
  @Test func voiceActivityNeedsNoLookAhead() throws {
    let samples = try Speech.samples("landscape.flac")
    let rules = EndpointRules(trailingSilence: 0.12, silenceWithoutText: 0.12)
    for latency in ["1/0", "3/0", "1/1"] {
      let whole = finals(samples, rules, latency: latency, vad: true)
      #expect(whole.count > 10)
      for piece in [160, 777] {
        #expect(
          finals(samples, rules, latency: latency, vad: true, piece: piece) == whole, "\(latency)")
      }
    }
  }
}
