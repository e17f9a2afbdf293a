import Audio
import Conformer
import Decoding
import Recognizer
import TestSupport
import Testing

/// Final passes on real speech with the shipped model.
@Suite struct FinalPassTests {
  private static let model = try! RecognizerModel(directory: Places.shippedModel)
  /// One utterance, whatever its pauses.
  private static let whole = EndpointRules(trailingSilence: nil, longestUtterance: nil)

  private func samples(_ name: String) throws -> [Float] { try Speech.samples(name) }

  private func finals(
    _ samples: [Float], latency: String = "640ms", _ decoding: DecodingOptions,
    rules: EndpointRules = EndpointRules(), piece: Int = .max
  ) -> [RecognitionResult] {
    let stream = Self.model.makeStream(
      RecognizerOptions(
        latency: Latency(latency)!, endpointRules: rules, decoding: decoding,
        wantsPartials: false))
    var results: [RecognitionResult] = []
    var rest = samples[...]
    while !rest.isEmpty {
      results += stream.accept(rest.prefix(piece))
      rest = rest.dropFirst(piece)
    }
    results += stream.finish()
    return results.filter { $0.kind == .final }
  }

  /// Hearing an utterance again with all of it as context is hearing it with full context.
  @Test(arguments: ["book-22khz.flac", "telephone-8khz.wav", "dreamland.mp3"])
  func fullContextIsFullContext(name: String) throws {
    let samples = try samples(name)
    let again = finals(samples, DecodingOptions(finalPass: .fullContext), rules: Self.whole)
    let full = finals(
      samples, latency: "full", DecodingOptions(finalPass: .rescore), rules: Self.whole)
    #expect(again.map(\.text) == full.map(\.text))
    #expect(again.flatMap(\.words).map(\.word) == full.flatMap(\.words).map(\.word))
    for (a, b) in zip(again.flatMap(\.words), full.flatMap(\.words)) {
      #expect(abs(a.start - b.start) < 1e-6 && abs(a.end - b.end) < 0.2)
      #expect(abs(a.confidence - b.confidence) < 1e-2)
    }
  }

  @Test func fullContextMendsWhatShortLookAheadMissed() throws {
    let samples = try samples("telephone-8khz.wav")
    let first = finals(samples, DecodingOptions()).map(\.text).joined(separator: " ")
    let settled = finals(samples, DecodingOptions(finalPass: .fullContext)).map(\.text)
      .joined(separator: " ")
    #expect(first.contains("could he was the covering earth fall noisily"))
    #expect(settled.contains("could he watch the covering earth fall noisily"))
  }

  @Test(arguments: FinalPass.allCases)
  func portionsChangeNothing(pass: FinalPass) throws {
    let samples = try samples("dreamland.mp3")
    let options = DecodingOptions(finalPass: pass)
    let together = finals(samples, options)
    #expect(!together.isEmpty)
    for piece in [977, 16_000] {
      #expect(finals(samples, options, piece: piece) == together)
    }
  }

  /// Ten seconds of silence first, and three utterances: the frames that a pass is given are those
  /// of its utterance, and times go on.
  @Test(arguments: [FinalPass.rescore, .fullContext, .joint])
  func passesHearTheirUtterance(pass: FinalPass) throws {
    let speech = try samples("book-22khz.flac")
    let silence = [Float](repeating: 0, count: 160_000)
    let alone = finals(speech, DecodingOptions(finalPass: pass))
    #expect(alone.count == 1)
    let several = finals(
      silence + speech + silence + speech + silence, DecodingOptions(finalPass: pass))
    #expect(several.map(\.text) == [alone[0].text, alone[0].text])
    #expect(several[0].start > 9.5 && several[0].start < 11)
    #expect(several[1].start > several[0].end + 9)
  }

  /// Weights that leave the decoder out, or a threshold that every utterance passes, leave the
  /// beam's own text.
  @Test func aPassWithoutSayChangesNothing() throws {
    let samples = try samples("landscape.flac")
    let beam = CTCPrefixBeamOptions(beamSize: 8, tokensPerFrame: 8)
    let first = finals(samples, DecodingOptions(beam: beam)).map(\.text)
    let silent = DecodingConfig(attentionWeight: 0, jointCTCWeight: 1)
    #expect(
      finals(samples, DecodingOptions(finalPass: .rescore, beam: beam, weights: silent))
        .map(\.text) == first)
    #expect(
      finals(samples, DecodingOptions(finalPass: .rescore, beam: beam, finalThreshold: 0))
        .map(\.text) == first)
    // Joint search by CTC alone finds the best text that the beam finds.
    let book = try self.samples("book-22khz.flac")
    #expect(
      finals(book, DecodingOptions(finalPass: .joint, weights: silent)).map(\.text)
        == finals(book, DecodingOptions(beam: beam)).map(\.text))
  }

  @Test func hotWordsMendAWordAndNothingElse() throws {
    let samples = try samples("landscape.flac")
    let plain = finals(samples, DecodingOptions()).map(\.text)
    func heard(_ phrases: [String], boost: Double = HotWords.defaultBoost) throws -> [String] {
      let bias = try HotWords(
        phrases.map { HotWord($0) }, boost: boost,
        segmenter: TokenSegmenter(Self.model.vocabulary))
      return finals(samples, DecodingOptions(biases: [WeightedBias(bias)])).map(\.text)
    }
    let text = plain.joined(separator: " ")
    #expect(text.contains("nothing cline in"))
    let mended = try heard(["Saline"]).joined(separator: " ")
    #expect(mended == text.replacing("nothing cline", with: "nothing saline"))
    let beamAlone = finals(
      samples, DecodingOptions(beam: CTCPrefixBeamOptions(beamSize: 8, tokensPerFrame: 8))
    ).map(\.text)
    #expect(try heard(["parliament", "helicopter"]) == beamAlone)
    #expect(try heard(["saline"], boost: 0) == beamAlone)
  }

  @Test func endpointRulesDivideTheStream() throws {
    let samples = try samples("chapter.opus")
    func count(_ rules: EndpointRules) -> Int {
      finals(samples, DecodingOptions(), rules: rules).count
    }
    let usual = count(EndpointRules())
    #expect(count(Self.whole) == 1)
    #expect(usual > 3)
    #expect(count(EndpointRules(trailingSilence: 0.4)) > usual)
    #expect(count(EndpointRules(trailingSilence: nil, longestUtterance: 5)) > 10)
    // Greedy text is the same wherever it is divided.
    let text = finals(samples, DecodingOptions()).map(\.text).joined(separator: " ")
    #expect(
      finals(samples, DecodingOptions(), rules: Self.whole).map(\.text).joined(separator: " ")
        == text)
  }

  /// Silero VAD hears where the speaker breathes, whatever CTC makes of it; the text is the same.
  @Test func voiceActivityEndsUtterances() throws {
    let detector = try SileroVAD(
      path: Places.package + "/models/silero-vad/silero_vad_16k.safetensors")
    let speech = try samples("book-22khz.flac")
    let audio = speech + [Float](repeating: 0, count: 32_000) + speech
    func results(_ silence: Double, piece: Int) -> [RecognitionResult] {
      let stream = Self.model.makeStream(
        RecognizerOptions(
          latency: Latency("640ms")!,
          endpointRules: EndpointRules(trailingSilence: silence, longestUtterance: nil),
          voiceActivityDetector: detector, wantsPartials: false))
      var results: [RecognitionResult] = []
      var rest = audio[...]
      while !rest.isEmpty {
        results += stream.accept(rest.prefix(piece))
        rest = rest.dropFirst(piece)
      }
      return results + stream.finish()
    }
    let text = finals(audio, DecodingOptions()).map(\.text).joined(separator: " ")
    let second = results(1, piece: .max)
    #expect(second.count == 2)
    #expect(second.map(\.text).joined(separator: " ") == text)
    #expect(results(1, piece: 777) == second)
    #expect(results(3, piece: .max).count == 1)
    #expect(results(0.15, piece: .max).count > 2)
  }

  /// What is kept for the final pass goes with its utterance, and silence is not kept.
  @Test func partialsKeepTheirPromiseWithABeam() throws {
    let samples = try samples("dreamland.mp3")
    let stream = Self.model.makeStream(
      RecognizerOptions(
        latency: Latency("320ms")!, decoding: DecodingOptions(finalPass: .rescore)))
    var committed = ""
    var partials = 0
    for result in stream.accept(samples) + stream.finish() where result.kind == .partial {
      #expect(result.text.hasPrefix(result.committed))
      #expect(result.committed.hasPrefix(committed))
      committed = result.committed
      partials += 1
    }
    #expect(partials > 3 && !committed.isEmpty)
  }

  @Test func stablePartialsAreNeverTakenBack() throws {
    let samples = try samples("landscape.flac")
    for decoding in [
      DecodingOptions(), DecodingOptions(beam: CTCPrefixBeamOptions(beamSize: 8)),
    ] {
      let stream = Self.model.makeStream(
        RecognizerOptions(latency: Latency("320ms")!, decoding: decoding, isStable: true))
      var shown = ""
      var partials = 0
      let results = stream.accept(samples) + stream.finish()
      for result in results {
        #expect(result.text.hasPrefix(shown))
        if result.kind == .partial {
          #expect(result.text == result.committed)
          shown = result.text
          partials += 1
        } else {
          shown = ""
        }
      }
      #expect(partials > 2)
      #expect(results.last?.kind == .final)
    }
  }

  @Test func aModelWithoutDecoderSaysSo() throws {
    let tiny = try TinyModel(seed: 1, mels: 16)
    defer { tiny.remove() }
    let model = try RecognizerModel(directory: tiny.directory)
    #expect(throws: FinalPassError.self) { try model.check(DecodingOptions(finalPass: .rescore)) }
    try model.check(DecodingOptions())
  }
}
