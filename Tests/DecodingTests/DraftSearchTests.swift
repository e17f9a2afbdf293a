import Decoding
import Foundation
import TestSupport
import Testing

@Suite struct DraftSearchTests {
  /// A draft with some of its tokens replaced, doubled up or lost.
  private func corrupt(
    _ tokens: [Int], edits: Int, classes: Int, _ generator: inout SeededGenerator
  ) -> [Int] {
    var tokens = tokens
    for _ in 0..<edits {
      let token = Int.random(in: 0..<classes, using: &generator)
      let place = Int.random(in: 0...tokens.count, using: &generator)
      switch Int.random(in: 0..<3, using: &generator) {
      case 0 where place < tokens.count: tokens[place] = token
      case 1 where place < tokens.count: tokens.remove(at: place)
      default: tokens.insert(token, at: place)
      }
    }
    return tokens
  }

  @Test func equalsAttentionGreedyOnRandomTables() {
    var generator = SeededGenerator(seed: 1)
    var (draftPasses, greedyPasses) = (0, 0)
    for seed in 1...400 as ClosedRange<UInt64> {
      let classes = Int.random(in: 2...12, using: &generator)
      let attention = TableAttention.random(
        vocabulary: classes + 1, order: Int(seed % 4) == 0 ? .max : Int(seed % 4), eosBonus: -2,
        seed: seed)
      let maxLength = Int.random(in: 0...40, using: &generator)
      let greedy = AttentionGreedy(maxLength: maxLength).search(attention)
      let draft = corrupt(
        greedy.tokens, edits: Int(seed % 5), classes: classes, &generator)
      let found = DraftSearch(maxLength: maxLength).search(attention, draft: draft)
      #expect(found.tokens == greedy.tokens)
      #expect(found.logProbs == greedy.logProbs)
      #expect(found.ended == greedy.ended)
      #expect(found.passes <= greedy.passes)
      if seed % 5 == 0 { #expect(found.passes == min(1, maxLength)) }
      if seed % 5 == 1 { #expect(found.passes <= 2, "one edit, \(draft) for \(greedy.tokens)") }
      draftPasses += found.passes
      greedyPasses += greedy.passes
    }
    #expect(draftPasses * 3 < greedyPasses, "\(draftPasses) passes, greedy \(greedyPasses)")
  }

  @Test func draftsThatHaveNothingToDoWithTheText() {
    var generator = SeededGenerator(seed: 2)
    for seed in 1...200 as ClosedRange<UInt64> {
      let attention = TableAttention.random(vocabulary: 7, eosBonus: -1, seed: seed)
      let greedy = AttentionGreedy(maxLength: 15).search(attention)
      let draft = (0..<Int.random(in: 0...30, using: &generator)).map { _ in
        Int.random(in: 0..<6, using: &generator)
      }
      let found = DraftSearch(maxLength: 15).search(attention, draft: draft)
      #expect(found.tokens == greedy.tokens && found.ended == greedy.ended)
      #expect(found.passes <= greedy.passes)
    }
  }

  @Test func agreementTakesOnePass() {
    let text = [3, 1, 4, 1, 5, 2, 6, 5, 3, 5]
    let attention = TableAttention.probabilities(vocabulary: 8) { prefix in
      (0..<8).map { $0 == (prefix.count < 10 ? text[prefix.count] : 7) ? 0.93 : 0.01 }
    }
    let found = DraftSearch(maxLength: 100).search(attention, draft: text)
    #expect(found.tokens == text && found.ended && found.passes == 1)
    #expect(found.logProbs.count == 11)
    #expect(attention.steps == 0 && attention.batches == [.left: [1]])
    let greedy = AttentionGreedy(maxLength: 100).search(attention)
    #expect(greedy.passes == 11 && greedy.tokens == text)
    // Cut off by the limit, eos is never asked for.
    let cut = DraftSearch(maxLength: 4).search(attention, draft: text)
    #expect(cut.tokens == [3, 1, 4, 1] && cut.logProbs == Array(greedy.logProbs[..<4]))
    #expect(!cut.ended && cut.passes == 1)
  }

  /// sos is never a token, even if the decoder would say so.
  @Test(arguments: [0, 2]) func sosIsNoToken(_ sos: Int) {
    let attention = TableAttention(
      vocabulary: 4, sos: sos, eos: 3,
      left: { prefix in
        var row: [Float] = prefix.count < 2 ? [0.1, 0.2, 0.1, 0.1] : [0.1, 0.1, 0.1, 0.3]
        row[sos] = 0.5
        return row.map { log($0) }
      })
    #expect(AttentionGreedy(maxLength: 9).search(attention).tokens == [1, 1])
    #expect(DraftSearch(maxLength: 9).search(attention, draft: [1]).tokens == [1, 1])
  }
}
