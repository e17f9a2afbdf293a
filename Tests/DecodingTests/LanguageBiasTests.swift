import Decoding
import Foundation
import TestSupport
import Testing

@Suite struct LanguageBiasTests {
  private let vocabulary = Vocabulary(
    pieces: ["<unk>", "▁a", "▁b", "a", "b", "▁ab", "▁", "ba"], blank: 8)
  private let tokenWords = ["<s>", "</s>", "<unk>", "▁a", "▁b", "a", "b", "▁ab", "▁", "ba"]

  private func randomTokens(using generator: inout SeededGenerator) -> [Int] {
    (0..<Int.random(in: 0...12, using: &generator)).map { _ in
      Int.random(in: 0..<8, using: &generator)
    }
  }

  @Test func tokensEqualTheDefinition() throws {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<20 {
      let naive = DictionaryModel.random(tokenWords, order: 3, grams: 200, using: &generator)
      let bias = try TokenLanguageBias(
        NGramModel(arpa: naive.arpa(using: &generator)), vocabulary: vocabulary)
      for _ in 0..<20 {
        let tokens = randomTokens(using: &generator)
        var history = ["<s>"]
        var expected = 0.0
        for word in tokens.map(vocabulary.markedPiece) + ["</s>"] {
          expected += naive.log10(word, after: history) * log(10)
          history.append(word)
        }
        #expect(abs(bias.score(of: tokens) - expected) < 1e-4)
        #expect(bias.logProbs(of: [tokens, []])[0] == bias.score(of: tokens))
      }
    }
  }

  /// Words of `tokens` that the model lists, <unk> for others.
  private func words(_ tokens: [Int], _ naive: DictionaryModel, isUpper: Bool) -> [String] {
    vocabulary.text(tokens).split(separator: " ").map {
      let word = isUpper ? $0.uppercased() : String($0)
      return naive.grams[[word]] == nil ? "<unk>" : word
    }
  }

  @Test(arguments: [false, true]) func wordsEqualTheDefinition(isUpper: Bool) throws {
    var generator = SeededGenerator(seed: 2)
    let listed = ["a", "b", "ab", "aba", "ababa", "bb", "aab"].map {
      isUpper ? $0.uppercased() : $0
    }
    var (known, unknown) = (0, 0)
    for _ in 0..<20 {
      let naive = DictionaryModel.random(
        ["<s>", "</s>", "<unk>"] + listed, order: 3, grams: 200, using: &generator)
      let bias = try WordLanguageBias(
        NGramModel(arpa: naive.arpa(using: &generator)), vocabulary: vocabulary)
      for _ in 0..<50 {
        let tokens = randomTokens(using: &generator)
        var history = ["<s>"]
        var expected = 0.0
        for word in words(tokens, naive, isUpper: isUpper) + ["</s>"] {
          expected += naive.log10(word, after: history) * log(10)
          history.append(word)
          if word == "<unk>" { unknown += 1 } else { known += 1 }
        }
        #expect(abs(bias.score(of: tokens) - expected) < 1e-4)
      }
    }
    #expect(known > 1000 && unknown > 1000)
  }

  @Test func aWordScoresWhenTheNextBegins() throws {
    let arpa = "\\data\\\nngram 1=3\n\\1-grams:\n-1 a\n-2 aba\n-0.5 </s>\n\\end\\\n"
    let bias = try WordLanguageBias(NGramModel(arpa: arpa), vocabulary: vocabulary)
    var state = bias.start
    var scores: [Double] = []
    // a | aba | ▁ | abb, which is not listed | a
    for token in [1, 5, 3, 6, 5, 4, 1] {
      let (next, score) = bias.step(state, token: token)
      scores.append(score)
      state = next
    }
    let ten = 2.302585092994046
    for (score, expected) in zip(scores, [0, -ten, 0, -2 * ten, 0, 0, -16]) {
      #expect(abs(score - expected) < 1e-5)
    }
    #expect(abs(bias.finish(state) + 1.5 * ten) < 1e-5)
    // The same letters in other pieces are the same state.
    func spelled(_ tokens: [Int]) -> Int {
      tokens.reduce(bias.start) { bias.step($0, token: $1).state }
    }
    #expect(spelled([5, 3]) == spelled([1, 7]))
    #expect(spelled([6, 3, 7]) == spelled([1, 7]))
    #expect(spelled([5, 3]) != spelled([5]))
  }

  @Test func twoHundredThousandWords() throws {
    var generator = SeededGenerator(seed: 5)
    let words = (0..<200_000).map { index in
      String((0..<18).map { index >> $0 & 1 == 0 ? "a" as Character : "b" })
    }.shuffled(using: &generator)
    let model = try NGramModel(
      arpa: "\\data\\\nngram 1=200000\n\\1-grams:\n"
        + words.map { "-5 \($0)\n" }.joined() + "\\end\\\n")
    var bias: WordLanguageBias?
    let building = try ContinuousClock().measure {
      bias = try WordLanguageBias(model, vocabulary: vocabulary)
    }
    let segmenter = TokenSegmenter(vocabulary)
    let text = try segmenter.tokens(words.prefix(10_000).joined(separator: " "))
    var score = 0.0
    let asking = ContinuousClock().measure { score = bias!.score(of: text) }
    print("200,000 words: built in \(building); \(text.count) tokens in \(asking)")
    #expect(abs(score / 2.302585092994046 + 50_000) < 0.01)
    #expect(building < .seconds(10))
  }

  @Test func otherVocabulariesAreRefused() throws {
    func message(_ words: [String], isWords: Bool = false) throws -> String? {
      let arpa =
        "\\data\\\nngram 1=\(words.count)\n\\1-grams:\n"
        + words.map { "-1 \($0)\n" }.joined() + "\\end\\\n"
      let model = try NGramModel(arpa: arpa)
      do throws(LanguageModelError) {
        if isWords {
          _ = try WordLanguageBias(model, vocabulary: vocabulary)
        } else {
          _ = try TokenLanguageBias(model, vocabulary: vocabulary)
        }
        return nil
      } catch {
        return error.description
      }
    }
    #expect(try message(tokenWords) == nil)
    #expect(try message(["<unk>", "a"]) == nil)
    #expect(
      try message(tokenWords + ["▁c", "cc"])
        == "lm.arpa: is not over this model's pieces: 2 of its 12 words are none, such as '▁c', 'cc'"
    )
    #expect(
      try message(["<s>", "</s>", "▁a", "▁b", "a", "b", "▁ab"])
        == "lm.arpa: lacks 2 of the 8 pieces and has no <unk>, such as '▁', 'ba'")
    #expect(try message(["a", "bab", "c"], isWords: true) == nil)
    #expect(
      try message(["a", "d1", "c"], isWords: true)
        == "lm.arpa: has 2 of 3 words that the model's pieces cannot spell, such as 'd1', 'c'")
    #expect(
      try message(tokenWords, isWords: true)
        == "lm.arpa: is over pieces (its words have ▁); use it at token level")
  }

  @Test func weightZeroChangesNothing() throws {
    var generator = SeededGenerator(seed: 4)
    let arpa = "\\data\\\nngram 1=2\n\\1-grams:\n-inf a\n-99 <s>\n\\end\\\n"
    let model = try NGramModel(arpa: arpa)
    let biases: [any TokenBias] = [
      try WordLanguageBias(model, vocabulary: vocabulary),
      try TokenLanguageBias(
        NGramModel(arpa: arpa.replacing("<s>", with: "<unk>")), vocabulary: vocabulary),
      try HotWords([HotWord("ab a", boost: 20)], segmenter: TokenSegmenter(vocabulary)),
    ]
    // All scores are numbers, so that nothing but 0 remains of them.
    for bias in biases {
      for _ in 0..<100 {
        #expect(0 * bias.score(of: randomTokens(using: &generator)) == 0)
      }
    }
  }
}
