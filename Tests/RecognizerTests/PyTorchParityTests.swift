import Conformer
import Tensor
import TestSupport
import Testing

/// The shipped model in Swift against the same model in PyTorch (`starling-training goldens`).
struct PyTorchParityTests {
  private let goldens: TensorTable
  private let model: ConformerModel

  init() throws {
    goldens = try TensorTable(
      Places.package + "/Tests/RecognizerTests/Fixtures/starling-en-small.safetensors")
    model = try ConformerModel(directory: Places.shippedModel)
  }

  @Test(arguments: ["full", "block8+8_left64", "block4+4_left12", "block16+0_left64"])
  func logProbs(_ mode: String) throws {
    let run = EncoderRun(model, mel: try goldens["features"], shape: try shape(mode))
    #expect(largestDifference(run.logProbs, try goldens["\(mode).log_probs"]) < 1e-3)
  }

  /// What the decoder says of the greedy text, both ways.
  @Test func decoder() throws {
    let decoder = try #require(model.decoder)
    let run = EncoderRun(model, mel: try goldens["features"], shape: try shape("full"))
    let memory = run.layers.last!.withMatrix(columns: model.config.encoder.width) {
      decoder.makeMemory($0, usesRight: true)
    }
    let tokens = try goldens["full.tokens"].map { Int($0) }
    #expect(tokens.count > 5)
    let score = decoder.score([TokenSequence(tokens)], memory: memory, scratch: ScratchArena())[0]
    #expect(abs(score.leftTotal - (try goldens["full.decoder_left"]).reduce(0, +)) < 1e-3)
    #expect(abs(score.rightTotal! - (try goldens["full.decoder_right"]).reduce(0, +)) < 1e-3)
  }

  private func shape(_ mode: String) throws -> BlockShape {
    if mode == "full" { return BlockShape(newFrames: 100_000, lookAheadFrames: 0, leftContext: 0) }
    let match = try #require(mode.wholeMatch(of: /block(\d+)\+(\d+)_left(\d+)/))
    return BlockShape(
      newFrames: Int(match.1)!, lookAheadFrames: Int(match.2)!, leftContext: Int(match.3)!)
  }
}
