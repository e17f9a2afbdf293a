import Audio
import Conformer
import Decoding
import Recognizer
import Tensor
import TestSupport

/// A tiny random model with a decoder of two auxiliary heads, and what it makes of noise.
final class TinyRun {
  static let streaming = StreamingConfig(blockFrames: 3, lookAheadFrames: 2, leftFrames: 8)
  static let jointCTCWeight = 0.3

  let tiny: TinyModel
  let networks: ConformerModel
  let model: RecognizerModel

  init(auxiliaryWeights: [Float]? = nil) throws {
    tiny = try TinyModel(
      seed: 5, streaming: Self.streaming,
      decoder: DecoderConfig(
        width: 16, heads: 2, feedForwardWidth: 32, leftLayers: 3, rightLayers: 1, vocabulary: 12,
        startEnd: 11, auxiliaryHeads: [1, 0]),
      decoding: DecodingConfig(
        attentionWeight: 2, jointCTCWeight: Self.jointCTCWeight,
        auxiliaryWeights: auxiliaryWeights))
    networks = try ConformerModel(directory: tiny.directory)
    model = try RecognizerModel(directory: tiny.directory)
  }

  deinit { tiny.remove() }

  /// Two seconds, so that there is one utterance.
  static func noise(_ seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<32_000).map { _ in generator.normal(0.1) }
  }

  func encode(_ samples: [Float], isWhole: Bool = false) -> EncoderRun {
    var mel: [Float] = []
    var stream = LogMelStream(LogMelFrontEnd(.nemo, mels: 16))
    stream.accept(samples, into: &mel)
    stream.finish(into: &mel)
    let shape =
      isWhole
      ? BlockShape(newFrames: 1000, lookAheadFrames: 0, leftContext: 0)
      : BlockShape(newFrames: 3, lookAheadFrames: 2, leftContext: 8)
    return EncoderRun(networks, mel: mel, shape: shape)
  }

  func finals(_ samples: [Float], _ decoding: DecodingOptions) -> [RecognitionResult] {
    let stream = model.makeStream(RecognizerOptions(decoding: decoding, wantsPartials: false))
    return (stream.accept(samples) + stream.finish()).filter { $0.kind == .final }
  }
}
