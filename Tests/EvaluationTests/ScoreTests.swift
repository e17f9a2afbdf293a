import Evaluation
import Testing

@Suite struct ScoreTests {
  @Test func ratesOfEmptyTexts() {
    // As jiwer 4 has them.
    let cases: [(String, String, Double, Double, Double)] = [
      ("", "", 0, 0, 0), ("", "a b", 2, 1, 1), ("a b", "", 1, 1, 1), ("a b", "a b", 0, 0, 0),
    ]
    var scorer = Scorer()
    for (reference, hypothesis, wer, mer, wil) in cases {
      let words = scorer.score(Utterance(id: "", text: reference, line: 1), hypothesis).words
      #expect([words.errorRate, words.matchErrorRate, words.informationLost] == [wer, mer, wil])
    }
  }

  private static func score() -> SystemScore {
    var scorer = Scorer(normalizer: .basic)
    let texts: [(String, String?, String, String?)] = [
      ("a", "s1", "The cat sat.", "the hat sat"), ("b", "s1", "the cat is", "the hat is on"),
      ("c", "s2", "one two", nil), ("d", nil, "", "uh"),
    ]
    let utterances = texts.map { id, speaker, reference, hypothesis in
      var utterance = Utterance(id: id, text: reference, line: 1)
      utterance.speaker = speaker
      return scorer.score(utterance, hypothesis)
    }
    return SystemScore(name: "h", utterances: utterances, tokens: scorer.tokens)
  }

  @Test func sumsAndGroups() {
    let score = Self.score()
    let words = score.summary.words
    #expect([words.hits, words.substitutions, words.deletions, words.insertions] == [4, 2, 2, 2])
    #expect(words.errorRate == 6.0 / 8)
    #expect(score.summary.sentenceErrorRate == 1)
    // "the cat sat"/"the hat sat": 1 of 11; "the cat is"/"the hat is on": 4 of 10; 7 of 7; 2 of 0.
    #expect(score.summary.characters.errors == 1 + 4 + 7 + 2)
    #expect(score.summary.characters.referenceLength == 28)
    let speakers = score.grouped(by: \.speaker)
    #expect(speakers.map(\.name) == ["s1", "s2"])
    #expect(speakers.map(\.summary.words.errors) == [3, 2])
    #expect(speakers.map(\.summary.utterances) == [2, 1])
  }

  @Test func confusions() {
    let confusions = Confusions(Self.score())
    #expect(
      confusions.substitutions.map { [$0.reference, $0.hypothesis, "\($0.count)"] }
        == [["cat", "hat", "2"]])
    #expect(confusions.deletions.map(\.word) == ["one", "two"])
    #expect(confusions.insertions.map(\.word) == ["on", "uh"])
    let missed = confusions.missedWords[0]
    #expect(missed.word == "cat" && missed.count == 2 && missed.errors == 2)
  }

  @Test func steps() {
    let score = Self.score()
    let steps = score.utterances[1].steps(score.tokens)
    #expect(steps.map(\.operation) == [.match, .substitution, .match, .insertion])
    #expect(steps.map(\.reference) == ["the", "cat", "is", nil])
    #expect(steps.map(\.hypothesis) == ["the", "hat", "is", "on"])
  }
}
