import Audio
import Conformer
import Decoding
import Recognizer
import TestSupport
import Testing

/// The end of the audio, wherever it falls in a block.
struct StreamEndTests {
  /// Greedy text of the whole stream, without the recogniser's bookkeeping.
  private func text(
    _ tiny: TinyModel, _ networks: ConformerModel, _ frontEnd: LogMelFrontEnd,
    _ samples: [Float], _ shape: BlockShape
  ) throws -> String {
    var mel: [Float] = []
    var stream = LogMelStream(frontEnd)
    stream.accept(samples, into: &mel)
    stream.finish(into: &mel)
    let vocabulary = try Vocabulary(
      contentsOf: tiny.directory + "/tokens.txt", classes: tiny.config.ctc.vocabulary,
      blank: tiny.config.ctc.blank)
    return EncoderRun(networks, mel: mel, shape: shape).greedyText(vocabulary)
  }

  /// Every sample is heard, also when a block ends with the last mel frame: the Kaldi front end has
  /// no frame left then that could carry the news of the end.
  @Test(arguments: [FeatureConfig.FrontEnd.kaldiFilterbank, .nemoLogMel])
  func everyFrameIsHeard(_ type: FeatureConfig.FrontEnd) throws {
    let streaming = StreamingConfig(blockFrames: 3, lookAheadFrames: 2, leftFrames: 8)
    let tiny = try TinyModel(seed: 31, frontEnd: type, streaming: streaming)
    defer { tiny.remove() }
    let networks = try ConformerModel(directory: tiny.directory)
    let recognizer = try RecognizerModel(directory: tiny.directory)
    let frontEnd = LogMelFrontEnd(type == .nemoLogMel ? .nemo : .kaldi, mels: 16)
    var generator = SeededGenerator(seed: 1)
    let noise = (0..<400 + 160 * 60).map { _ in generator.normal(0.1) }
    let shape = BlockShape(newFrames: 3, lookAheadFrames: 2, leftContext: 8)
    for frames in 0...60 {
      let samples = Array(noise.prefix(400 + 160 * frames))
      let stream = recognizer.makeStream(
        RecognizerOptions(
          endpointRules: EndpointRules(trailingSilence: nil, longestUtterance: nil)))
      let results = stream.accept(samples) + stream.finish()
      let found = results.filter { $0.kind == .final }.map(\.text).joined(separator: " ")
      let expected = try text(tiny, networks, frontEnd, samples, shape)
      #expect(found == expected, "\(frames + 1) whole windows")
    }
  }
}
