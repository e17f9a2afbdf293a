import Decoding
import Foundation
import TestSupport
import Testing

@Suite struct RescorerTests {
  /// Random hypotheses of 0…6 tokens out of four, best first.
  private func hypotheses(_ count: Int, seed: UInt64) -> [Hypothesis] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { index in
      let tokens = (0..<(index == 1 ? 0 : Int.random(in: 1...6, using: &generator))).map {
        DecodedToken(id: Int.random(in: 0..<4, using: &generator), frame: $0, logProb: -0.1)
      }
      return Hypothesis(
        tokens: tokens, ctcScore: -Double(index), biasScores: [2],
        total: -Double(index) + 0.25)
    }
  }

  @Test func scoresAreThoseOfTheFormula() {
    for seed in 1...20 as ClosedRange<UInt64> {
      let attention = TableAttention.random(vocabulary: 5, seed: seed)
      let list = hypotheses(6, seed: seed)
      let options = RescoringOptions(
        attentionWeight: 0.8, reverseWeight: 0.3, ctcWeight: 2, lengthBonus: 0.1)
      let rescored = Rescorer(options).rescore(list, attention)
      #expect(Set(rescored.map(\.hypothesis.total)) == Set(list.map(\.total)))
      #expect(rescored.map(\.total) == rescored.map(\.total).sorted(by: >))
      for found in rescored {
        let ids = found.hypothesis.ids
        let (left, right) = (attention.logProb(ids), attention.logProb(ids, .right))
        #expect(isClose(found.leftScore!, left) && isClose(found.rightScore!, right))
        let mixed = 0.7 * left + 0.3 * right
        let total = 0.8 * mixed + 2 * found.hypothesis.total + 0.1 * Double(ids.count)
        #expect(isClose(found.total, total))
        #expect(isClose(found.confidence!, exp(mixed / Double(ids.count + 1))))
        #expect(found.tokenConfidences.count == ids.count)
        for (place, confidence) in found.tokenConfidences.enumerated() {
          let prefix = attention.logProb(of: place, in: ids, .left)
          let suffix = attention.logProb(of: place, in: ids, .right)
          #expect(isClose(confidence, (exp(prefix) + exp(suffix)) / 2))
        }
      }
      #expect(attention.batches == [.left: [6], .right: [6]], "one pass each")
    }
  }

  @Test func batchedEqualsSingle() {
    let attention = TableAttention.random(vocabulary: 5, seed: 1)
    let list = hypotheses(8, seed: 1)
    let rescorer = Rescorer(.init(reverseWeight: 0.5))
    let single = list.flatMap { rescorer.rescore([$0], attention) }
    #expect(rescorer.rescore(list, attention) == single.sorted { $0.total > $1.total })
  }

  @Test func decodersWithoutWeightAreNotTouched() {
    let list = hypotheses(4, seed: 2)
    let attention = TableAttention.random(vocabulary: 5, seed: 2)
    let left = Rescorer(.init(reverseWeight: 0)).rescore(list, attention)
    #expect(attention.batches == [.left: [4]])
    #expect(left.allSatisfy { $0.rightScore == nil && $0.leftScore != nil })
    // A decoder without a reverse one will do.
    let oneWay = TableAttention.probabilities(vocabulary: 5) { _ in [0.1, 0.2, 0.3, 0.2, 0.2] }
    #expect(Rescorer().rescore(list, oneWay).count == 4)

    let other = TableAttention.random(vocabulary: 5, seed: 2)
    _ = Rescorer(.init(reverseWeight: 1)).rescore(list, other)
    #expect(other.batches == [.right: [4]])
    let neither = Rescorer(.init(attentionWeight: 0, reverseWeight: 0.5)).rescore(list, other)
    #expect(other.batches == [.right: [4]])
    #expect(neither.map(\.hypothesis) == list)
    #expect(neither.allSatisfy { $0.confidence == nil && $0.tokenConfidences.isEmpty })
  }

  @Test func heavyCTCGivesTheFirstPassBack() {
    for seed in 1...20 as ClosedRange<UInt64> {
      let attention = TableAttention.random(vocabulary: 5, sharpness: 4, seed: seed)
      let list = hypotheses(6, seed: seed)
      let rescored = Rescorer(.init(reverseWeight: 0.4, ctcWeight: 1e6)).rescore(list, attention)
      #expect(rescored.map(\.hypothesis) == list)
    }
  }

  @Test func attentionOverrulesCTC() {
    let attention = TableAttention.probabilities(vocabulary: 3) { prefix in
      prefix.isEmpty ? [0.1, 0.8, 0.1] : [0.05, 0.05, 0.9]
    }
    let list = [0, 1].map { id in
      Hypothesis(
        tokens: [DecodedToken(id: id, frame: 0, logProb: 0)], ctcScore: -Double(id) / 2)
    }
    let rescored = Rescorer().rescore(list, attention)
    #expect(rescored.map(\.hypothesis.ids) == [[1], [0]])
    #expect(isClose(rescored[0].tokenConfidences[0], 0.8))
  }

  @Test func emptyHypothesisAndEmptyList() {
    let attention = TableAttention.random(vocabulary: 5, seed: 3)
    let empty = Hypothesis(tokens: [], ctcScore: -1)
    let rescored = Rescorer(.init(reverseWeight: 0.5)).rescore([empty], attention)
    #expect(isClose(rescored[0].leftScore!, attention.logProb([])))
    #expect(isClose(rescored[0].rightScore!, attention.logProb([], .right)))
    #expect(rescored[0].tokenConfidences.isEmpty)
    let batches = attention.batches
    #expect(Rescorer().rescore([], attention).isEmpty)
    #expect(attention.batches == batches)
  }

  @Test func languageModelIsReportedApart() {
    struct Lengths: SequenceLanguageModel {
      func logProbs(of sequences: [[Int]]) -> [Double] { sequences.map { -Double($0.count) } }
    }
    let attention = TableAttention.random(vocabulary: 5, seed: 4)
    let list = hypotheses(5, seed: 4)
    let with = Rescorer(.init(languageWeight: 0.5)).rescore(
      list, attention, languageModel: Lengths())
    let without = Rescorer().rescore(list, attention, languageModel: Lengths())
    #expect(without == Rescorer().rescore(list, attention))
    for found in with {
      let n = Double(found.hypothesis.tokens.count)
      let plain = without.first { $0.hypothesis == found.hypothesis }!
      #expect(found.languageScore == -n && plain.languageScore == nil)
      #expect(isClose(found.total, plain.total - n / 2, 1e-9))
    }
  }

  @Test func optionsAreChecked() {
    #expect(throws: Never.self) { try RescoringOptions().validate() }
    for options in [
      RescoringOptions(attentionWeight: -1), RescoringOptions(reverseWeight: 1.01),
      RescoringOptions(ctcWeight: .infinity), RescoringOptions(languageWeight: .nan),
      RescoringOptions(lengthBonus: .nan),
    ] {
      #expect(throws: SearchOptionError.self) { try options.validate() }
    }
  }
}
