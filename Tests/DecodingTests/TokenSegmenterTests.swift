import Decoding
import Foundation
import TestSupport
import Testing

@Suite struct TokenSegmenterTests {
  /// All ways to spell `word`, which has its ▁.
  private func spellings(_ word: Substring, _ vocabulary: Vocabulary) -> [[Int]] {
    if word.isEmpty { return [[]] }
    return (0..<vocabulary.count - 1).flatMap { id in
      word.hasPrefix(vocabulary.markedPiece(id))
        ? spellings(word.dropFirst(vocabulary.markedPiece(id).count), vocabulary).map { [id] + $0 }
        : []
    }
  }

  @Test(arguments: [true, false]) func equalsBruteForce(isScored: Bool) throws {
    var generator = SeededGenerator(seed: 1)
    var ambiguous = 0
    for _ in 0..<200 {
      let vocabulary = Vocabularies.random(
        letters: ["a", "b", "c"], longer: 12, isScored: isScored, using: &generator)
      let segmenter = TokenSegmenter(vocabulary)
      for _ in 0..<5 {
        let length = Int.random(in: 1...8, using: &generator)
        let word = (0..<length).map { _ in ["a", "b", "c"].randomElement(using: &generator)! }
          .joined()
        func score(_ ids: [Int]) -> Double {
          ids.reduce(0) { $0 + (isScored ? Double(vocabulary.logProb($1)!) : -1) }
        }
        let all = spellings("▁" + word[...], vocabulary)
        let best = all.map(score).max()!
        let tokens = try segmenter.tokens(word)
        #expect(tokens.map(vocabulary.markedPiece).joined() == "▁" + word)
        #expect(abs(score(tokens) - best) < 1e-9)
        if all.count > 1 { ambiguous += 1 }
      }
    }
    #expect(ambiguous > 500)
  }

  @Test func tiesGoToTheLongerPieceInFront() throws {
    let vocabulary = Vocabulary(pieces: ["▁a", "bc", "▁ab", "c", "▁", "abc"], blank: 6)
    #expect(try TokenSegmenter(vocabulary).tokens("abc") == [2, 3])
  }

  @Test func spellsRealWords() throws {
    let vocabulary = try Vocabularies.shipped()
    let segmenter = TokenSegmenter(vocabulary)
    func pieces(_ text: String) throws -> [String] {
      try segmenter.tokens(text).map(vocabulary.markedPiece)
    }
    #expect(try pieces("the") == ["▁the"])
    #expect(try pieces("of you and  THAT\n") == ["▁of", "▁you", "▁and", "▁that"])
    #expect(try pieces("it's") == ["▁it", "'", "s"])
    #expect(try pieces("walking") == ["▁walk", "ing"])
    #expect(try pieces("don\u{2019}t") == pieces("don't"))
    #expect(try pieces("ＡＢＣ") == pieces("abc"), "compatibility forms")
    for text in ["kubernetes", "siobhan o'shaughnessy", "quetzalcoatl", "jazz"] {
      let tokens = try segmenter.tokens(text)
      #expect(vocabulary.text(tokens) == text)
      #expect(tokens.count < text.count)
    }
    #expect(try segmenter.tokens(" \t\u{A0}\n▁").isEmpty)
  }

  /// The tokens that the model itself finds are those it was trained on, but for rare slips.
  @Test(.enabled(if: Places.hasShared)) func agreesWithTheModel() throws {
    struct Line: Decodable {
      var tokens: [Int]
      var text: String
    }
    let segmenter = TokenSegmenter(try Vocabularies.shipped())
    let path = Places.shared + "/goldens/starling-en-small/nbest.jsonl"
    var (words, equal) = (0, 0)
    for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
      let line = try JSONDecoder().decode(Line.self, from: Data(line.utf8))
      var found: [[Int]] = []
      for token in line.tokens {
        if segmenter.vocabulary.startsWord(token) || found.isEmpty { found.append([]) }
        found[found.count - 1].append(token)
      }
      for (word, tokens) in zip(line.text.split(separator: " "), found) {
        words += 1
        if try segmenter.tokens(String(word)) == tokens { equal += 1 }
      }
    }
    print("segmentation: \(equal) of \(words) words as the model spells them")
    #expect(words > 300 && Double(equal) > 0.97 * Double(words))
  }

  @Test func writesInTheVocabularysCase() throws {
    let upper = Vocabulary(pieces: ["▁A", "B"], blank: 2)
    #expect(try TokenSegmenter(upper).tokens("ab") == [0, 1])
    let mixed = Vocabulary(pieces: ["▁a", "B", "b"], blank: 3)
    #expect(try TokenSegmenter(mixed).tokens("aB ab") == [0, 1, 0, 2])
  }

  @Test func namesWhatCannotBeSpelled() throws {
    let segmenter = TokenSegmenter(try Vocabularies.shipped())
    #expect(throws: SegmentationError(phrase: "one 2 three", character: "2", isUnknown: true)) {
      try segmenter.tokens(" one 2 three ")
    }
    #expect(throws: SegmentationError(phrase: "Zoë", character: "ë", isUnknown: true)) {
      try segmenter.tokens("Zoë")
    }
    // The pieces of <unk> spell no word, nor is it itself one.
    #expect(throws: SegmentationError(phrase: "<unk>", character: "<", isUnknown: true)) {
      try segmenter.tokens("<unk>")
    }
    let short = TokenSegmenter(Vocabulary(pieces: ["▁ab", "cb"], blank: 2))
    #expect(throws: SegmentationError(phrase: "abb", character: "b", isUnknown: false)) {
      try short.tokens("abb")
    }
    #expect(throws: SegmentationError(phrase: "cb", character: "c", isUnknown: false)) {
      try short.tokens("cb")
    }
  }

  @Test func refusesLogProbsThatAreNoNumbers() throws {
    let folder = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for text in ["nan", "inf", "x"] {
      try "▁a\t-1\nb\t\(text)\n".write(
        toFile: folder + "/tokens.txt", atomically: true, encoding: .utf8)
      #expect(throws: VocabularyError.self) {
        try Vocabulary(contentsOf: folder + "/tokens.txt", classes: 3, blank: 2)
      }
    }
    try "▁a\t-1\nb\n".write(toFile: folder + "/tokens.txt", atomically: true, encoding: .utf8)
    let vocabulary = try Vocabulary(contentsOf: folder + "/tokens.txt", classes: 3, blank: 0)
    #expect([1, 2, 0].map(vocabulary.logProb) == [-1, nil, nil])
    #expect([1, 2, 0].map(vocabulary.markedPiece) == ["▁a", "b", ""])
  }
}
