import Audio
import Conformer
import Decoding
import Recognizer
import Tensor
import TestSupport
import Testing

/// The lens through the attention decoder.
@Suite struct DecoderLensTests {
  private static let shipped = Result { try RecognizerModel(directory: Places.shippedModel) }
  private let model: RecognizerModel

  init() throws { model = try Self.shipped.get() }

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

  private func texts(
    _ model: RecognizerModel, _ layers: DecoderLens.Layers, _ samples: [Float],
    _ latency: Latency, leftContext: LeftContext? = nil, piece: Int? = nil
  ) throws -> [String] {
    let lens = try DecoderLens(
      model: model, layers: layers, latency: latency, leftContext: leftContext)
    for start in stride(from: 0, to: samples.count, by: piece ?? samples.count) {
      lens.accept(samples[start...].prefix(piece ?? samples.count))
    }
    let texts = lens.finish()
    #expect(texts.count == lens.layerCount)
    return texts
  }

  /// The tiny model's lens, with the blocks of `TinyRun.encode`.
  private func texts(
    _ run: TinyRun, _ layers: DecoderLens.Layers, _ samples: [Float], piece: Int? = nil
  ) throws -> [String] {
    try texts(
      run.model, layers, samples, .blocks(newFrames: 3, lookAheadFrames: 2),
      leftContext: .frames(8), piece: piece)
  }

  /// What the decoder says when it reads each encoder layer.
  private func expectedTexts(
    _ run: TinyRun, _ encoded: EncoderRun, weights: [Float] = []
  ) -> [String] {
    let vocabulary = run.model.vocabulary
    let search = AttentionGreedy(maxLength: encoded.logProbs.count / vocabulary.count)
    return encoded.layers.map {
      vocabulary.text(
        search.search(MixtureScorer(run.networks, hidden: $0, weights: weights)).tokens)
    }
  }

  /// Two utterances too, and silence before one.
  @Test(arguments: [Latency.fullContext, .blocks(newFrames: 8, lookAheadFrames: 8)])
  func lastEncoderLayerIsTheDraft(latency: Latency) throws {
    let book = try samples("book-22khz.flac")
    let silence = [Float](repeating: 0, count: 32_000)
    for (samples, utterances) in [
      (book, 1), (silence + book, 1), (try samples("dreamland.mp3"), 1),
      (try samples("landscape.flac"), 2),
    ] {
      let stream = model.makeStream(
        RecognizerOptions(
          latency: latency, decoding: DecodingOptions(finalPass: .draft), wantsPartials: false))
      let drafts = (stream.accept(samples) + stream.finish()).map(\.text)
      #expect(drafts.count == utterances)
      let layers = try texts(model, .encoder, samples, latency)
      #expect(layers.count == model.layerCount)
      #expect(layers.last == drafts.joined(separator: " "))
      #expect(layers.first != layers.last)
    }
  }

  /// The decoder reads the CTC text over the frames of its utterance.
  @Test func lastDecoderLayerIsTheDecoder() throws {
    let networks = try ConformerModel(directory: Places.shippedModel)
    let (mean, inverseDeviation) = try #require(networks.cmvn)
    for file in ["book-22khz.flac", "dreamland.mp3"] {
      let samples = try samples(file)
      var mel: [Float] = []
      var stream = LogMelStream(LogMelFrontEnd(.nemo, mels: mean.count))
      stream.accept(samples, into: &mel)
      stream.finish(into: &mel)
      for index in mel.indices {
        let bin = index % mean.count
        mel[index] = (mel[index] - mean[bin]) * inverseDeviation[bin]
      }
      let encoded = EncoderRun(
        networks, mel: mel,
        shape: BlockShape(newFrames: 1000, lookAheadFrames: 64, leftContext: 64))
      let layers = try texts(model, .decoder, samples, .fullContext)
      #expect(layers.count == 3)
      #expect(layers.last == decoderText(networks, encoded, model.vocabulary))
    }
  }

  /// Every layer with a random model, whatever the portions.
  @Test func everyLayerIsAsIfItWereTheLast() throws {
    let run = try TinyRun()
    for seed in UInt64(1)...6 {
      let noise = TinyRun.noise(seed)
      let encoded = run.encode(noise)
      for piece in [777, noise.count] {
        #expect(
          try texts(run, .encoder, noise, piece: piece) == expectedTexts(run, encoded))
        #expect(
          try texts(run, .decoder, noise, piece: piece).last
            == decoderText(run.networks, encoded, run.model.vocabulary))
      }
    }
  }

  @Test func theModelsMixtureIsUsed() throws {
    let weights: [Float] = [0.3, 0.45]
    let weighted = try TinyRun(auxiliaryWeights: weights)
    let noise = TinyRun.noise(1)
    let expected = expectedTexts(weighted, weighted.encode(noise), weights: weights)
    #expect(try texts(weighted, .encoder, noise) == expected)
  }

  @Test func aModelWithoutDecoderSaysSo() throws {
    let tiny = try TinyModel(seed: 1)
    defer { tiny.remove() }
    let model = try RecognizerModel(directory: tiny.directory)
    for layers in [DecoderLens.Layers.encoder, .decoder] {
      let error = #expect(throws: LensError.self) {
        try DecoderLens(model: model, layers: layers)
      }
      #expect(error?.model == "tiny")
    }
  }

  /// Most probable tokens of the plain decoder after each prefix of the CTC text.
  private func decoderText(
    _ networks: ConformerModel, _ encoded: EncoderRun, _ vocabulary: Vocabulary
  ) -> String {
    let tokens = encoded.greedyTokens(vocabulary)
    // A second before the first word is kept.
    let first = max(0, tokens[0].frame - 25)
    let hidden = Array(encoded.layers.last!.dropFirst(first * networks.config.encoder.width))
    let rows = MixtureScorer(networks, hidden: hidden, weights: [])
      .logProbs([tokens.map(\.id)], .left)[0]
    let places = stride(from: 0, to: rows.count, by: vocabulary.count).map {
      Array(rows[$0..<$0 + vocabulary.count])
    }
    let best = places.map { row in row.indices.max { row[$0] < row[$1] }! }
    return vocabulary.text(best.filter { $0 != networks.decoder!.left.startEnd })
  }
}
