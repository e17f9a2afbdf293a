import Conformer
import Decoding
import Dispatch
import Foundation
import LanguageModels
import Synchronization
import Tensor
import TestSupport
import Testing

/// The language model's arithmetic: against PyTorch, against itself, and as a distribution.
struct TransformerLanguageModelTests {
  private func model() throws -> TransformerLanguageModel {
    try TransformerLanguageModel(
      directory: LanguageModelFolder.fixture, vocabulary: LanguageModelFolder.vocabulary)
  }

  /// One sequence of `golden.json`, which scripts/make-lm-golden.py writes.
  private struct Golden: Decodable {
    var tokens: [Int]
    /// Of the tokens and the end.
    var logProbs: [Float]

    enum CodingKeys: String, CodingKey {
      case tokens
      case logProbs = "log_probs"
    }
  }

  @Test func equalsPyTorch() throws {
    let file = URL(fileURLWithPath: LanguageModelFolder.fixture + "/golden.json")
    let golden = try JSONDecoder().decode([Golden].self, from: Data(contentsOf: file))
    #expect(golden.contains { $0.tokens.isEmpty } && golden.contains { $0.tokens.count > 256 })
    let found = try LanguageModelFolder.network().targetLogProbs(
      golden.map(\.tokens), scratch: ScratchArena())
    let sums = try model().logProbs(of: golden.map(\.tokens))
    for (index, expected) in golden.enumerated() {
      #expect(largestDifference(found[index], expected.logProbs) < 1e-4)
      let sum = expected.logProbs.reduce(0) { $0 + Double($1) }
      #expect(abs(sums[index] - sum) < 1e-5 * Double(expected.logProbs.count))
    }
  }

  @Test func togetherEqualsOneByOne() throws {
    let model = try model()
    let texts = LanguageModelFolder.texts(100, seed: 1) + [[], [], [4]]
    let alone = texts.map { model.logProbs(of: [$0])[0] }
    #expect(model.logProbs(of: texts) == alone)
    #expect(model.logProbs(of: texts.reversed()) == alone.reversed())
    #expect(model.logProbs(of: []) == [])
  }

  @Test func severalThreadsAtOnce() throws {
    let model = try model()
    let lists = (0..<16).map { LanguageModelFolder.texts(10, seed: UInt64($0)) }
    let expected = lists.map { model.logProbs(of: $0) }
    let wrong = Mutex<[Int]>([])
    DispatchQueue.concurrentPerform(iterations: lists.count) { index in
      for _ in 0..<5 where model.logProbs(of: lists[index]) != expected[index] {
        wrong.withLock { $0.append(index) }
      }
    }
    #expect(wrong.withLock { $0 } == [])
  }

  /// All that can be said has probability 1: the texts of at most two tokens and all that begin
  /// with three.
  @Test func probabilitiesSumToOne() throws {
    let tokens = Array(0..<9)
    let pairs = tokens.flatMap { a in tokens.map { [a, $0] } }
    let triples = pairs.flatMap { pair in tokens.map { pair + [$0] } }
    let short = [[]] + tokens.map { [$0] } + pairs
    let logProbs = try LanguageModelFolder.network().targetLogProbs(
      short + triples, scratch: ScratchArena())
    // What follows each text of at most two tokens: a token or the end.
    var next: [[Int]: Double] = [:]
    for (text, scores) in zip(short + triples, logProbs) {
      if text.count < 3 { next[text, default: 0] += exp(Double(scores[text.count])) }
      if let last = text.indices.last {
        next[Array(text.dropLast()), default: 0] += exp(Double(scores[last]))
      }
    }
    #expect(next.count == short.count)
    for (text, sum) in next { #expect(abs(sum - 1) < 1e-5, "after \(text)") }

    let ended = try model().logProbs(of: short).reduce(0) { $0 + exp($1) }
    let going = logProbs.suffix(triples.count).reduce(0) {
      $0 + exp(Double($1.dropLast().reduce(0, +)))
    }
    #expect(ended > 0.01 && going > 0.1 && abs(ended + going - 1) < 1e-4)
  }

  /// Is never asked: the decoder has no weight.
  private struct SilentDecoder: AttentionScorer {
    var vocabulary: Int { 10 }
    var sos: Int { 9 }
    var eos: Int { 9 }
    func initialState() {}
    func step(_: [Void], tokens _: [Int]) -> (states: [Void], logProbs: [Float]) {
      preconditionFailure("asked")
    }
    func logProbs(_: [[Int]], _: DecoderDirection) -> [[Float]] { preconditionFailure("asked") }
  }

  @Test func rescoresAnNBestList() throws {
    let model = try model()
    let list = LanguageModelFolder.texts(20, seed: 3).enumerated().map { index, text in
      Hypothesis(
        tokens: text.map { DecodedToken(id: $0, frame: 0, logProb: 0) }, ctcScore: -Double(index))
    }
    let rescorer = Rescorer(
      RescoringOptions(attentionWeight: 0, ctcWeight: 2, languageWeight: 0.5, lengthBonus: 0.7))
    let rescored = rescorer.rescore(list, SilentDecoder(), languageModel: model)
    #expect(rescored.count == 20 && rescored.map(\.hypothesis) != list)
    for found in rescored {
      let ids = found.hypothesis.ids
      let score = model.logProbs(of: [ids])[0]
      #expect(found.languageScore == score)
      let total = 2 * found.hypothesis.total + 0.5 * score + 0.7 * Double(ids.count)
      #expect(abs(found.total - total) < 1e-9)
    }
    let without = Rescorer(RescoringOptions(attentionWeight: 0))
    #expect(
      without.rescore(list, SilentDecoder(), languageModel: model)
        == without.rescore(list, SilentDecoder()))
  }
}
