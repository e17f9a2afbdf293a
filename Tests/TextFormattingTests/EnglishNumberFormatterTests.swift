import Decoding
import TestSupport
import Testing
import TextFormatting

@Suite struct EnglishNumberFormatterTests {
  private let formatter = EnglishNumberFormatter()

  @Test(arguments: NumberCases.changed)
  func writesFigures(spoken: String, written: String) {
    #expect(formatter.process(spoken) == written)
    #expect(formatter.process(written) == written, "not idempotent")
    #expect(formatter.process("and so \(spoken) indeed") == "and so \(written) indeed")
  }

  @Test(arguments: NumberCases.unchanged)
  func leavesAlone(text: String) {
    #expect(formatter.process(text) == text)
    #expect(formatter.process("and so \(text)") == "and so \(text)")
  }

  @Test func tableIsLargeEnough() {
    #expect(NumberCases.changed.count + NumberCases.unchanged.count >= 150)
  }

  @Test func keepsTimesAndLeastConfidence() {
    let spoken = "on the third of march nineteen ninety five".split(separator: " ")
    let confidences = [0.9, 0.8, 0.7, 0.6, 0.95, 0.5, 0.4, 0.3]
    let words = spoken.enumerated().map { index, word in
      Word(
        word: String(word), start: Double(index), end: Double(index) + 0.5,
        confidence: confidences[index])
    }
    #expect(
      formatter.process(words) == [
        Word(word: "on", start: 0, end: 0.5, confidence: 0.9),
        Word(word: "3", start: 1, end: 3.5, confidence: 0.6),
        Word(word: "March", start: 4, end: 4.5, confidence: 0.95),
        Word(word: "1995", start: 5, end: 7.5, confidence: 0.3),
      ])
    #expect(formatter.process([Word]()) == [])
  }

  /// Words that are no part of any rule stay in place, and a second run changes nothing.
  @Test func randomTextIsStableAndKeepsOtherWords() {
    let others = ["house", "Ångström", "x9", "well,", "twenty,", "日本"]
    let numbers = """
      one two five nine ten twelve fifteen nineteen twenty thirty ninety hundred thousand million \
      and a the of or to at between point oh zero first second third tenth twentieth hundredth \
      march may july percent per cent dollars dollar pounds cents pence p m am o'clock eighties \
      hundreds miles euros
      """.split(separator: " ").map(String.init)
    var generator = SeededGenerator(seed: 4)
    for _ in 0..<20_000 {
      let words = (0..<Int.random(in: 1...9, using: &generator)).map { _ in
        Int.random(in: 0..<8, using: &generator) == 0
          ? others.randomElement(using: &generator)! : numbers.randomElement(using: &generator)!
      }
      let text = words.joined(separator: " ")
      let once = formatter.process(text)
      #expect(formatter.process(once) == once, "\(text)")
      let kept = once.split(separator: " ").map(String.init).filter(others.contains)
      #expect(kept == words.filter(others.contains), "\(text)")
    }
  }

  @Test func timesStayInOrder() {
    var generator = SeededGenerator(seed: 5)
    let spoken = NumberCases.changed.flatMap { $0.spoken.split(separator: " ").map(String.init) }
    for _ in 0..<200 {
      let words = (0..<20).map { index in
        Word(
          word: spoken.randomElement(using: &generator)!, start: Double(index),
          end: Double(index) + 1, confidence: 0.5)
      }
      let written = formatter.process(words)
      #expect(written.first?.start == 0 && written.last?.end == 20)
      for (before, after) in zip(written, written.dropFirst()) {
        #expect(before.end == after.start)
      }
    }
  }
}
