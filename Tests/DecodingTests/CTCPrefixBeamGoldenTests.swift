import Decoding
import Foundation
import TestSupport
import Testing

/// Real speech: the n-best lists of the model's own training code (`../shared/goldens`).
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
      var wide = CTCPrefixBeamSearch(blank: 1024, options: .init(beamSize: 200))
      let scorer = values.withUnsafeBufferPointer {
        let logProbs = LogProbs($0.baseAddress!, frames: shape[0], vocabulary: shape[1])
        search.advance(logProbs)
        wide.advance(logProbs)
        return CTCPrefixScorer(logProbs, blank: 1024)
      }
      let found = search.nBest(isEnd: true)
      #expect(found[..<2].map(\.ids) == list[..<2].map(\.tokens))
      for hypothesis in found {
        let exact = scorer.logProb(of: hypothesis.ids)
        #expect(hypothesis.ctcScore < exact + 1e-6)
        #expect(isClose(hypothesis.ctcScore, exact, 0.5), "\(hypothesis.ctcScore) of \(exact)")
      }
      let best = wide.nBest(1, isEnd: true)[0]
      #expect(best.ids == found[0].ids)
      #expect(isClose(best.ctcScore, scorer.logProb(of: best.ids), 2e-3))
      // The golden search pruned tokens more tightly: it summed a few paths less.
      for golden in list {
        let exact = scorer.logProb(of: golden.tokens)
        #expect(golden.ctc < exact && golden.ctc > exact - 0.6)
        #expect(found.contains { $0.ids == golden.tokens } || golden.ctc < found[7].ctcScore)
      }
    }
  }
}
