import Conformer
import Foundation
import Tensor
import TestSupport
import Testing

/// The first model's decoder against `../shared/goldens/starling-en-small`: log-probabilities of the
/// first positions of the best hypothesis, and the sums of every hypothesis of the n-best lists.
@Suite(.enabled(if: Places.hasShared, "../shared/goldens is not here"))
struct DecoderGoldenTests {
  private static let folder = Places.shared + "/goldens/starling-en-small/"
  private let scratch = ScratchArena()

  private struct Hypothesis: Decodable {
    var utterance: String
    var mode: String
    var tokens: [Int]
    var left: Float
    var right: Float
  }

  private static let lists: [[Hypothesis]] = {
    let lines = try! String(contentsOfFile: folder + "nbest.jsonl", encoding: .utf8)
      .split(separator: "\n")
    let all = lines.map { try! JSONDecoder().decode(Hypothesis.self, from: Data($0.utf8)) }
    return Dictionary(grouping: all) { $0.utterance + $0.mode }.values.map { $0 }
  }()

  @Test func decoderLogProbsAndSums() throws {
    let model = try ConformerModel(directory: FirstModel.folder)
    let decoder = try #require(model.decoder)
    #expect(Self.lists.count == 4)
    for list in Self.lists {
      let goldens = try TensorTable(Self.folder + list[0].utterance + ".safetensors")
      let shape =
        list[0].mode == "full"
        ? BlockShape(newFrames: 1_000_000, lookAheadFrames: 0, leftContext: 0)
        : BlockShape(newFrames: 8, lookAheadFrames: 8, leftContext: 64)
      let run = EncoderRun(model, mel: try goldens["features"], shape: shape)
      for hidden in [run.layers.last!, try goldens["\(list[0].mode).layer15"]] {
        let memory = hidden.withMatrix(columns: model.config.encoder.width) {
          decoder.makeMemory($0, usesRight: true)
        }
        try expectSums(decoder, list, memory)
        try expectLogProbs(decoder, list[0], memory, goldens)
      }
    }
  }

  private func expectSums(
    _ decoder: BidirectionalDecoder, _ list: [Hypothesis], _ memory: BidirectionalMemory
  ) throws {
    let scores = decoder.score(
      list.map { TokenSequence($0.tokens) }, memory: memory, scratch: scratch)
    for (score, golden) in zip(scores, list) {
      #expect(abs(score.leftTotal - golden.left) < 1e-2, "\(golden.utterance) \(golden.mode)")
      #expect(abs(score.rightTotal! - golden.right) < 1e-2, "\(golden.utterance) \(golden.mode)")
    }
  }

  private func expectLogProbs(
    _ decoder: BidirectionalDecoder, _ best: Hypothesis, _ memory: BidirectionalMemory,
    _ goldens: TensorTable
  ) throws {
    let sides = [
      ("left", decoder.left, memory.left, best.tokens),
      ("right", decoder.right!, memory.right!, best.tokens.reversed()),
    ]
    for (side, decoder, memory, tokens) in sides {
      let name = "\(best.mode).decoder_\(side)_log_probs"
      let count = goldens.shape(name)[0]
      let tree = PrefixTree([TokenSequence(tokens)], start: decoder.startEnd)
      var found: [Float] = []
      decoder.logProbs(tree, memory: memory, scratch: scratch) { found += $1.values }
      found.removeLast(found.count - count * decoder.vocabulary)
      let difference = try largestDifference(found, goldens[name])
      #expect(difference < 2e-3, "\(best.utterance) \(name)")
    }
  }
}
