import Decoding
import Foundation
import TestSupport
import Testing

@Suite struct NGramModelTests {
  private let words = ["<s>", "</s>", "<unk>", "a", "b", "ç", "dd"]

  @Test(arguments: 1...6) func equalsTheDefinition(order: Int) throws {
    var generator = SeededGenerator(seed: UInt64(order))
    for _ in 0..<20 {
      let naive = DictionaryModel.random(words, order: order, grams: 120, using: &generator)
      let model = try NGramModel(arpa: naive.arpa(using: &generator))
      #expect(model.order == order)
      #expect(model.counts.reduce(0, +) == naive.grams.count)
      #expect(model.wordCount == words.count)
      for _ in 0..<10 {
        var history = ["<s>"]
        let sentence = (0..<12).map { _ in words.randomElement(using: &generator)! }
        for (word, logProb) in zip(sentence, model.scores(sentence)) {
          #expect(abs(logProb - naive.log10(word, after: history) * log(10)) < 1e-4)
          history.append(word)
        }
      }
    }
  }

  @Test(arguments: 1...4) func sumsToOne(order: Int) throws {
    var generator = SeededGenerator(seed: 7)
    let naive = DictionaryModel.normalized(words, order: order, using: &generator)
    let model = try NGramModel(arpa: naive.arpa(using: &generator))
    var context = model.sentenceStart
    for _ in 0..<300 {
      let sum = (0..<model.wordCount).reduce(0.0) {
        $0 + exp(model.score($1, after: context).logProb)
      }
      #expect(abs(sum - 1) < 1e-5)
      context =
        model.score(Int.random(in: 0..<words.count, using: &generator), after: context)
        .context
    }
  }

  @Test func aContextIsWhatTheModelKnowsOfThePast() throws {
    var generator = SeededGenerator(seed: 8)
    let naive = DictionaryModel(
      grams: [
        ["<s>"]: (-99, -0.5), ["a"]: (-1, -0.25), ["b"]: (-2, 0), ["a", "b"]: (-0.125, -1),
        ["a", "b", "a"]: (-0.5, 0),
      ], order: 3)
    let model = try NGramModel(arpa: naive.arpa(using: &generator))
    func context(_ text: String) -> Int {
      text.reduce(model.sentenceStart) { model.score(model.word(String($1))!, after: $0).context }
    }
    #expect(context("ab") == context("bbab"))
    #expect(context("ab") != context("bb"))
    #expect(context("bb") == context("aabbb"))
    #expect(
      model.scores(["a", "b", "a", "b", "b"]).map { ($0 / log(10) * 1000).rounded() / 1000 }
        == [-1.5, -0.125, -0.5, -0.125, -3])
    #expect(model.unknown == nil && model.sentenceEnd == nil)
    #expect(model.endLogProb(after: context("a")) == 0)
  }

  @Test func zeroProbabilityIsANumber() throws {
    let model = try NGramModel(
      arpa: "\\data\\\nngram 1=2\n\\1-grams:\n-inf <s>\n-1e30 a\n\\end\\\n")
    for word in 0..<2 { #expect(abs(model.score(word, after: 0).logProb + 99 * log(10)) < 1e-3) }
  }

  @Test func readsWhateverPortionsAndLineEnds() throws {
    var generator = SeededGenerator(seed: 9)
    let naive = DictionaryModel.random(words, order: 3, grams: 60, using: &generator)
    let text = naive.arpa(using: &generator)
    let sentence = ["a", "dd", "b", "a", "a", "a", "ç", "</s>"]
    let expected = try NGramModel(arpa: text).scores(sentence)
    for portion in [1, 2, 7, 100] {
      #expect(try NGramModel(arpa: text, portion: portion).scores(sentence) == expected)
    }
    let windows = text.replacingOccurrences(of: "\n", with: "\r\n")
      .replacingOccurrences(of: "\t", with: " \t ").replacingOccurrences(of: "=", with: " = ")
    #expect(try NGramModel(arpa: windows).scores(sentence) == expected)
    #expect(try NGramModel(arpa: String(text.dropLast())).scores(sentence) == expected)
  }

  @Test func readsDecimals() throws {
    for (text, value) in [
      ("-1.25", -1.25), ("-.5", -0.5), ("-3.", -3), ("-12e-1", -1.2), ("-0.5E+1", -5), ("0", 0),
      ("-3.14159265358979", -3.14159265358979), ("-1.5e1", -15), ("-1e-400", 0),
    ] {
      let model = try NGramModel(arpa: "\\data\\\nngram 1=1\n\\1-grams:\n\(text) a\n\\end\\\n")
      #expect(abs(model.score(0, after: 0).logProb - value * log(10)) < 1e-5, "\(text)")
    }
    for text in [
      "nan", "NaN", "-nan", "inf", "-", ".", "1e", "0x1", "-1..", "--1", "-1-", "e5", "a",
    ] {
      #expect(throws: LanguageModelError.self, "\(text)") {
        try NGramModel(arpa: "\\data\\\nngram 1=1\n\\1-grams:\n\(text) a\n\\end\\\n")
      }
    }
  }
}
