import Decoding
import Foundation
import LanguageModels
import TestSupport
import Testing

/// n-gram models as the language model of a second pass, from the ARPA file to the ranking.
@Suite struct NGramRescoringTests {
  private let vocabulary = Vocabulary(
    pieces: ["<unk>", "▁a", "▁b", "a", "b", "▁ab", "▁", "ba"], blank: 8)

  /// Random hypotheses of 0…8 pieces, best first.
  private func hypotheses(using generator: inout SeededGenerator) -> [Hypothesis] {
    (0..<12).map { index in
      let tokens = (0..<(index == 3 ? 0 : Int.random(in: 1...8, using: &generator))).map {
        DecodedToken(id: Int.random(in: 0..<8, using: &generator), frame: $0, logProb: -0.1)
      }
      return Hypothesis(tokens: tokens, ctcScore: -Double(index) / 4)
    }
  }

  /// Writes `naive` as a file and opens it the way a user's path is opened.
  private func load(
    _ naive: DictionaryModel, using generator: inout SeededGenerator
  ) throws -> any SequenceLanguageModel {
    let folder = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try naive.arpa(using: &generator).write(
      toFile: folder + "/lm.arpa", atomically: true, encoding: .utf8)
    return try LanguageModelLoader.load(folder + "/lm.arpa", vocabulary: vocabulary)
  }

  @Test(arguments: [false, true]) func totalsAreThoseOfTheFormula(isOverPieces: Bool) throws {
    var generator = SeededGenerator(seed: 6)
    let pieces = (0..<8).map(vocabulary.markedPiece)
    let words = ["<s>", "</s>"] + (isOverPieces ? pieces : ["<unk>", "a", "b", "ab", "ba"])
    var reordered = 0
    for seed in 1...20 as ClosedRange<UInt64> {
      let naive = DictionaryModel.random(words, order: 3, grams: 100, using: &generator)
      let model = try load(naive, using: &generator)
      let attention = TableAttention.random(vocabulary: 9, seed: seed)
      let list = hypotheses(using: &generator)
      var options = RescoringOptions(attentionWeight: 0.5, ctcWeight: 1.5)
      let plain = Rescorer(options).rescore(list, attention)
      #expect(Rescorer(options).rescore(list, attention, languageModel: model) == plain)

      (options.languageWeight, options.lengthBonus) = (0.3, 0.8)
      let rescored = Rescorer(options).rescore(list, attention, languageModel: model)
      #expect(rescored.map(\.total) == rescored.map(\.total).sorted(by: >))
      for found in rescored {
        let ids = found.hypothesis.ids
        let text = vocabulary.text(ids).split(separator: " ").map {
          naive.grams[[String($0)]] == nil ? "<unk>" : String($0)
        }
        var (history, score) = (["<s>"], 0.0)
        for word in (isOverPieces ? ids.map(vocabulary.markedPiece) : text) + ["</s>"] {
          score += naive.log10(word, after: history) * log(10)
          history.append(word)
        }
        #expect(isClose(found.languageScore!, score))
        let before = plain.first { $0.hypothesis == found.hypothesis }!
        #expect(before.languageScore == nil && before.leftScore == found.leftScore)
        #expect(isClose(found.total, before.total + 0.3 * score + 0.8 * Double(ids.count)))
      }
      if rescored.map(\.hypothesis) != plain.map(\.hypothesis) { reordered += 1 }
    }
    #expect(reordered > 10)
  }
}
