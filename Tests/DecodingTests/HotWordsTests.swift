import Decoding
import Foundation
import TestSupport
import Testing

@Suite struct HotWordsTests {
  /// The rule as it is stated: every place where a phrase's tokens stand as whole words.
  private func naive(
    _ phrases: [[Int]: Double], in tokens: [Int], _ vocabulary: Vocabulary
  ) -> Double {
    var sum = 0.0
    for (phrase, boost) in phrases where phrase.count <= tokens.count {
      for first in 0...tokens.count - phrase.count {
        let end = first + phrase.count
        guard Array(tokens[first..<end]) == phrase else { continue }
        if end == tokens.count || vocabulary.startsWord(tokens[end]) { sum += boost }
      }
    }
    return sum
  }

  private func text(_ phrase: [Int], _ vocabulary: Vocabulary) -> String {
    vocabulary.text(phrase)
  }

  /// Repetitive pieces, so that phrases overlap and hold one another.
  private let vocabulary = Vocabulary(
    pieces: ["▁a", "▁b", "a", "b", "▁ab", "▁"], logProbs: [-1, -1, -1, -1, -1.5, -3], blank: 6)

  @Test func equalsTheNaiveMatcher() throws {
    var generator = SeededGenerator(seed: 2)
    let segmenter = TokenSegmenter(vocabulary)
    var heard = 0
    for round in 0..<300 {
      var phrases: [[Int]: Double] = [:]
      var list: [HotWord] = []
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let words = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
          ["a", "b", "ab", "ba", "aab"].randomElement(using: &generator)!
        }
        let boost = round % 3 == 0 ? nil : Double.random(in: -20...20, using: &generator)
        list.append(HotWord(words.joined(separator: " "), boost: boost))
        let tokens = try segmenter.tokens(words.joined(separator: " "))
        phrases[tokens] = (boost ?? 2.5) * Double(tokens.count)
      }
      let hot = try HotWords(list, boost: 2.5, segmenter: segmenter)
      #expect(hot.count == phrases.count)
      for _ in 0..<20 {
        let tokens = (0..<Int.random(in: 0...14, using: &generator)).map { _ in
          Int.random(in: 0..<6, using: &generator)
        }
        let expected = naive(phrases, in: tokens, vocabulary)
        if expected != 0 { heard += 1 }
        #expect(abs(hot.score(of: tokens) - expected) < 1e-9)
      }
    }
    #expect(heard > 2000)
  }

  @Test func sharesAreRefundedWhenAPhraseBreaks() throws {
    let hot = try HotWords([HotWord("a b ab", boost: 2)], segmenter: TokenSegmenter(vocabulary))
    var state = hot.start
    var scores: [Double] = []
    // a b | b a b ab | a: broken, then heard, then another word.
    for token in [0, 1, 1, 0, 1, 4, 0] {
      let (next, score) = hot.step(state, token: token)
      scores.append(score)
      state = next
    }
    #expect(scores == [2, 2, -4, 2, 2, 2, 2])
    #expect(hot.finish(state) == -2)
    #expect(hot.step(state, token: 2).score == -2, "another token inside the word")
  }

  @Test func onlyWholeWordsCount() throws {
    let hot = try HotWords([HotWord("ab", boost: 3)], segmenter: TokenSegmenter(vocabulary))
    #expect(hot.score(of: [4]) == 3)
    #expect(hot.score(of: [4, 1]) == 3)
    #expect(hot.score(of: [4, 3]) == 0, "abb")
    #expect(hot.score(of: [1, 2, 3]) == 0, "bab")
    #expect(hot.score(of: [4, 4, 2, 4]) == 6)
  }

  @Test func aPhraseMayBeginAnother() throws {
    let hot = try HotWords(
      [HotWord("a", boost: 1), HotWord("a b", boost: 2), HotWord("b", boost: -2)],
      segmenter: TokenSegmenter(vocabulary))
    #expect(hot.score(of: [0]) == 1)
    #expect(hot.score(of: [0, 1]) == 3)
    #expect(hot.score(of: [0, 1, 2]) == 1)
    // Until the next token all that has ended and half of the open phrase are held.
    #expect(hot.step(hot.start, token: 0).score == 3)
  }

  @Test func theLastOfRepeatedPhrasesCounts() throws {
    let hot = try HotWords(
      [HotWord("A b", boost: 1), HotWord(" a  B ", boost: 2.5)],
      segmenter: TokenSegmenter(vocabulary))
    #expect(hot.count == 1)
    #expect(hot.score(of: [0, 1]) == 5)
  }

  @Test func statesArePlainNumbers() throws {
    let hot = try HotWords([HotWord("a b ab")], segmenter: TokenSegmenter(vocabulary))
    // However the past went, the same end of it is the same state.
    func state(_ tokens: [Int]) -> Int {
      tokens.reduce(hot.start) { hot.step($0, token: $1).state }
    }
    #expect(state([0, 1]) == state([3, 0, 1]))
    #expect(state([0, 1]) == state([0, 1, 4, 0, 1]))
    #expect(state([1, 1]) == hot.start)
  }

  @Test func noHotWordsChangeNothing() throws {
    let hot = try HotWords([], segmenter: TokenSegmenter(vocabulary))
    for token in 0..<6 { #expect(hot.step(hot.start, token: token) == (hot.start, 0)) }
    #expect(hot.finish(hot.start) == 0)
    let zero = try HotWords([HotWord("a b")], boost: 0, segmenter: TokenSegmenter(vocabulary))
    #expect(zero.score(of: [0, 1, 0]) == 0)
  }

  @Test func tenThousandPhrases() throws {
    var generator = SeededGenerator(seed: 3)
    let shipped = try Vocabularies.shipped()
    let segmenter = TokenSegmenter(shipped)
    let letters = Array("abcdefghijklmnopqrstuvwxyz")
    var phrases: Set<String> = []
    while phrases.count < 10_000 {
      let words = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
        String(
          (0..<Int.random(in: 2...10, using: &generator)).map { _ in
            letters.randomElement(using: &generator)!
          })
      }
      phrases.insert(words.joined(separator: " "))
    }
    let list = phrases.sorted().map { HotWord($0) }
    let clock = ContinuousClock()
    var hot: HotWords?
    let building = try clock.measure { hot = try HotWords(list, segmenter: segmenter) }
    var state = hot!.start
    let stepping = clock.measure {
      for token in 0..<1_000_000 { state = hot!.step(state, token: token * 7 % 1024).state }
    }
    print("10,000 hot words: built in \(building), a million steps in \(stepping)")
    #expect(building < .seconds(5), "under a second on an idle machine")
    #expect(stepping < .seconds(5))
    for phrase in list.prefix(500) {
      let score = hot!.score(of: try segmenter.tokens(phrase.phrase))
      #expect(score >= HotWords.defaultBoost - 1e-9)
    }
  }
}
