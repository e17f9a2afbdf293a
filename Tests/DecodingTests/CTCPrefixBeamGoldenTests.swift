import Decoding
import Foundation
import TestSupport
import Testing

/// The n-best lists of the model's own training code (`../shared/goldens`).
@Suite(.enabled(if: Places.hasShared, "../shared/goldens is not here"))
struct CTCPrefixBeamGoldenTests {
  private struct Golden: Decodable {
    var utterance: String
    var mode: String
    var tokens: [Int]
    var ctc: Double
  }

  @Test func nBest() throws {
    let folder = Places.shared + "/goldens/starling-en-small/"
    let lines = try String(contentsOfFile: folder + "nbest.jsonl", encoding: .utf8)
      .split(separator: "\n")
    let goldens = try lines.map {
      try JSONDecoder().decode(Golden.self, from: Data($0.utf8))
    }
    #expect(goldens.count == 16)
    let lists = Dictionary(grouping: goldens) { $0.utterance + " " + $0.mode }
    for list in lists.values {
      let tensors = try TensorTable(folder + list[0].utterance + ".safetensors")
      let name = list[0].mode + ".log_probs"
      let (values, shape) = (try tensors[name], tensors.shape(name))
      var search = CTCPrefixBeamSearch(blank: 1024, options: .init(beamSize: 8))
      values.withUnsafeBufferPointer {
        search.advance(LogProbs($0.baseAddress!, frames: shape[0], vocabulary: shape[1]))
      }
      for (found, golden) in zip(search.nBest(isEnd: true), list) {
        #expect(found.ids == golden.tokens)
        #expect(isClose(found.ctcScore, golden.ctc, 2e-2), "\(found.ctcScore) \(golden.ctc)")
      }
    }
  }
}
