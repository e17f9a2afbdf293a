import Decoding
import Testing

@Suite struct SpelledTextTests {
  /// Letters a and b, with and without the mark of a word's start, and the apostrophe.
  private let vocabulary = Vocabulary(
    pieces: ["▁", "a", "b", "▁ab", "ab", "'", "<unk>", "1"], blank: 8)

  private func spelled(_ text: String) throws -> SpelledText {
    let segmenter = TokenSegmenter(vocabulary)
    return try SpelledText(text) { try segmenter.tokens($0) }
  }

  @Test func keepsWordsAsWritten() throws {
    let text = try spelled("  Ab, “b’a”\n\n — a-b\u{2014}AB!\r\nb\n")
    #expect(text.words.map(\.text) == ["Ab,", "“b’a”", "a-b\u{2014}AB!", "b"])
    #expect(text.words.map(\.line) == [1, 1, 3, 4])
    #expect(text.words.map(\.tokens) == [[3], [0, 2, 5, 1], [0, 1, 0, 2, 3], [0, 2]])
    #expect(text.tokens.count == 12)
  }

  @Test(arguments: [("a\nb ac", "ac", 2), ("25", "25", 1), ("a\n\nab 日本 b", "日本", 3)])
  func namesWordAndLine(text: String, word: String, line: Int) {
    #expect(throws: SpellingError.unspellable(word: word, line: line)) { try spelled(text) }
    let message = SpellingError.unspellable(word: word, line: line).description
    #expect(message.contains(word) && message.contains("line \(line)"))
  }

  @Test(arguments: ["", " \n ", "— … !"])
  func noWords(text: String) {
    #expect(throws: SpellingError.noWords) { try spelled(text) }
  }

  @Test func placesWords() throws {
    let text = try spelled("ab a\nb")
    let frames = [2..<4, 10..<11, 12..<13, 60..<61, 61..<63]
    let aligned = zip(text.tokens, frames).enumerated().map { index, pair in
      AlignedToken(
        id: pair.0, frames: pair.1, logProb: 0, posterior: index == 0 ? 0.5 : 0.9)
    }
    let alignment = TextAlignment(
      text, aligned: aligned, vocabulary: vocabulary,
      assembler: WordAssembler(vocabulary: vocabulary, frameSeconds: 0.04), duration: 2.5)
    #expect(alignment.lines.map { $0.map(\.word) } == [["ab", "a"], ["b"]])
    #expect(alignment.tokens.map(\.text) == ["ab", "", "a", "", "b"])
    let words = alignment.words
    let expected = [(0.0, 0.24), (0.24, 0.98), (1.9, 2.5)]
    for (word, (start, end)) in zip(words, expected) {
      #expect(abs(word.start - start) < 1e-9 && abs(word.end - end) < 1e-9, "\(word)")
    }
    #expect(words[0].confidence == 0.5 && abs(words[2].confidence - 0.9) < 1e-12)
  }
}
