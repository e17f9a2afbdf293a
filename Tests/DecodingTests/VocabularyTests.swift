import Decoding
import Foundation
import TestSupport
import Testing

/// `tokens.txt` and text.
final class VocabularyTests {
  private let folder = Places.temporaryFolder()
  private var path: String { folder + "/tokens.txt" }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private func load(
    _ bytes: some Sequence<UInt8>, classes: Int = 4, blank: Int = 3
  ) throws -> Vocabulary {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return try Vocabulary(contentsOf: path, classes: classes, blank: blank)
  }

  private func expectError(_ text: String, line: Int?, _ words: String...) {
    let error = #expect(throws: VocabularyError.self, "\(words)") { try self.load(text.utf8) }
    #expect(error?.file == path && error?.line == line)
    for word in words + [path] { #expect(error.map { "\($0)".contains(word) } ?? false) }
    if let line { #expect("\(error!)".contains("line \(line)")) }
  }

  @Test func pieces() throws {
    // With and without scores, with and without a last newline.
    for text in [
      "▁the\ns\n▁a\n", "▁the\ns\n▁a", "▁the\t-2.5\ns\t-3\n▁a\t0\n", "▁the\ns\t-1e-3\n▁a",
    ] {
      let vocabulary = try load(text.utf8)
      #expect(vocabulary.count == 4 && vocabulary.blank == 3)
      #expect((0..<4).map(vocabulary.piece) == ["the", "s", "a", ""])
      #expect((0..<4).map(vocabulary.startsWord) == [true, false, true, false])
    }
  }

  @Test func theBlankMayBeAnyClass() throws {
    for blank in 0...3 {
      let vocabulary = try load("▁a\nb\n▁c\n".utf8, blank: blank)
      var expected = ["a", "b", "c"]
      expected.insert("", at: blank)
      #expect((0..<4).map(vocabulary.piece) == expected)
      #expect(!vocabulary.startsWord(blank))
    }
  }

  @Test func oddPieces() throws {
    let vocabulary = try load(" \n▁\u{0301}x\n▁▁\n".utf8)
    // A space is a piece like others; a combining mark does not hide the mark of a word's start.
    #expect(vocabulary.piece(0) == " " && !vocabulary.startsWord(0))
    #expect(vocabulary.startsWord(1) && vocabulary.piece(1) == "\u{0301}x")
    #expect(vocabulary.startsWord(2) && vocabulary.piece(2) == "")
  }

  @Test func wrongCounts() {
    expectError("a\nb\n", line: nil, "2 pieces", "expected 3")
    expectError("a\nb\nc\nd\n", line: nil, "4 pieces", "expected 3")
    expectError("", line: nil, "0 pieces")
    expectError("a\nb\nc\n\n", line: nil, "4 pieces")
  }

  @Test func badLines() {
    expectError("a\n\nc\n", line: 2, "a piece")
    expectError("\nb\nc\n", line: 1, "a piece")
    expectError("a\nb\t\nc\n", line: 2, "number")
    expectError("a\nb\nc\tx\n", line: 3, "number", "c\tx")
    expectError("a\t1\t2\nb\nc\n", line: 1)
    expectError("a\n\t-1\nc\n", line: 2)
  }

  @Test func notText() {
    let damaged: [[UInt8]] = [
      [0x61, 0x0A, 0xFF, 0x0A, 0x62], [0xE2, 0x96], [0x61, 0x0A, 0xC0, 0x80],
    ]
    for bytes in damaged {
      let error = #expect(throws: VocabularyError.self) { try self.load(bytes) }
      #expect(error?.reason.contains("UTF-8") ?? false)
    }
    let error = #expect(throws: VocabularyError.self) {
      try Vocabulary(contentsOf: self.folder + "/none.txt", classes: 4, blank: 3)
    }
    #expect(error.map { "\($0)".contains("none.txt: cannot be read") } ?? false)
  }

  @Test func text() {
    let vocabulary = Vocabulary(pieces: ["▁the", "s", "▁a", "▁", "'"], blank: 5)
    for (ids, text) in [
      ([], ""), ([0], "the"), ([0, 1], "thes"), ([1, 0], "s the"), ([2, 0, 4, 1], "a the's"),
      ([0, 5, 1, 5, 2], "thes a"), ([3], ""), ([3, 0], "the"), ([0, 3], "the"),
      ([0, 3, 1], "the s"), ([0, 3, 2], "the a"), ([0, 3, 5, 3, 1, 1], "the ss"),
    ] as [([Int], String)] {
      #expect(vocabulary.text(ids) == text, "\(ids)")
    }
  }
}
