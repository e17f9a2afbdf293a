import Decoding
import Foundation
import TestSupport
import Testing

/// Words, their times and their confidence.
struct WordAssemblerTests {
  // 0 "▁a", 1 "b", 2 "▁c", 3 "d", 4 "▁", 5 blank
  private static let vocabulary = Vocabulary(pieces: ["▁a", "b", "▁c", "d", "▁"], blank: 5)
  private let assembler = WordAssembler(vocabulary: vocabulary, frameSeconds: 0.04)

  /// Tokens of (class, frame) with probability `probability`.
  private func tokens(_ list: [(Int, Int)], probability: Double = 0.5) -> [DecodedToken] {
    list.map { DecodedToken(id: $0.0, frame: $0.1, logProb: Float(log(probability))) }
  }

  private func expect(
    _ words: [Word], _ expected: [(String, Double, Double)],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(words.map(\.word) == expected.map(\.0), sourceLocation: sourceLocation)
    for (word, expected) in zip(words, expected) {
      #expect(
        abs(word.start - expected.1) < 1e-9 && abs(word.end - expected.2) < 1e-9,
        "\(word)", sourceLocation: sourceLocation)
    }
  }

  @Test func tokensReachToTheMidpoints() {
    // Peaks at 0.4, 0.8, 1.2 and 1.6 s.
    let found = assembler.words(
      tokens([(0, 10), (1, 20), (2, 30), (3, 40)]), previousFrame: 5, nextFrame: 45,
      duration: 10)
    expect(found, [("ab", 0.3, 1.0), ("cd", 1.0, 1.7)])
  }

  @Test func tokensReachHalfASecondAtMost() {
    let found = assembler.words(
      tokens([(0, 100), (2, 200)]), previousFrame: 0, nextFrame: 300, duration: 100)
    expect(found, [("a", 3.5, 4.5), ("c", 7.5, 8.5)])
    // A word spans its tokens, however far apart they are.
    expect(assembler.words(tokens([(0, 100), (1, 200)]), duration: 100), [("ab", 3.5, 8.5)])
  }

  @Test func wordsStayInTheAudio() {
    expect(assembler.words(tokens([(0, 2)]), duration: 0.3), [("a", 0, 0.3)])
    let two = assembler.words(tokens([(0, 2), (2, 6)]), duration: 0.26)
    expect(two, [("a", 0, 0.16), ("c", 0.16, 0.26)])
    // A peak may lie beyond the last sample, in the last frame's padding.
    for word in assembler.words(tokens([(0, 10), (2, 11)]), duration: 0.3) {
      #expect(word.start <= word.end && word.end <= 0.3)
    }
  }

  @Test func wordsWithoutAStart() {
    // An utterance may go on in the middle of a word.
    let words = assembler.words(tokens([(1, 10), (0, 20)]), duration: 9)
    expect(words, [("b", 0, 0.6), ("a", 0.6, 1.3)])
    #expect(assembler.words([], duration: 9).isEmpty)
  }

  @Test func aLoneMarkIsNoWord() {
    #expect(assembler.words(tokens([(4, 10)]), duration: 9).isEmpty)
    let found = assembler.words(tokens([(0, 10), (4, 20), (2, 30), (4, 40), (3, 50)]), duration: 9)
    #expect(found.map(\.word) == ["a", "c", "d"])
    let text = Self.vocabulary.text([0, 4, 2, 4, 3])
    #expect(text == "a c d", "text and words agree")
  }

  @Test func confidenceIsTheGeometricMean() {
    var list = tokens([(0, 1), (1, 2), (3, 3), (2, 4)])
    for (index, probability) in [0.9, 0.5, 0.8, 0.25].enumerated() {
      list[index].logProb = Float(log(probability))
    }
    let words = assembler.words(list, duration: 9)
    #expect(words.count == 2)
    #expect(abs(words[0].confidence - pow(0.9 * 0.5 * 0.8, 1.0 / 3)) < 1e-6)
    #expect(abs(words[1].confidence - 0.25) < 1e-6)
    // Rounding may leave a log-probability above 0.
    let sure = [DecodedToken(id: 0, frame: 0, logProb: 1e-6)]
    #expect(assembler.words(sure, duration: 9)[0].confidence == 1)
    let unsure = [DecodedToken(id: 0, frame: 0, logProb: -1000)]
    #expect(assembler.words(unsure, duration: 9)[0].confidence == 0)
  }

  @Test func randomTokens() {
    var generator = SeededGenerator(seed: 21)
    for _ in 0..<500 {
      var frame = Int.random(in: 0...50, using: &generator)
      let previous = Bool.random(using: &generator) ? frame : nil
      var list: [DecodedToken] = []
      for _ in 0..<Int.random(in: 1...20, using: &generator) {
        frame += Int.random(in: 1...[2, 40].randomElement(using: &generator)!, using: &generator)
        list.append(
          DecodedToken(
            id: Int.random(in: 0..<5, using: &generator), frame: frame,
            logProb: -abs(generator.normal(1))))
      }
      let next = Bool.random(using: &generator) ? frame + 3 : nil
      let duration = Double(frame) * 0.04 + Double.random(in: -0.03...0.6, using: &generator)
      let words = assembler.words(
        list, previousFrame: previous, nextFrame: next, duration: duration)
      var time = previous.map { (Double($0) + Double(list[0].frame)) / 2 * 0.04 - 1e-9 } ?? 0
      for word in words {
        #expect(word.start >= min(time, duration) && word.end >= word.start)
        #expect(word.end <= duration && (0...1).contains(word.confidence))
        #expect(!word.word.isEmpty)
        time = word.end
      }
      if let next { #expect(time <= Double(frame + next) / 2 * 0.04 + 1e-9) }
      #expect(words.map(\.word).joined(separator: " ") == Self.vocabulary.text(list.map(\.id)))
    }
  }
}
