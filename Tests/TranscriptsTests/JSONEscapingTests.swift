import Decoding
import Foundation
import Testing
import Transcripts

@Suite struct JSONEscapingTests {
  private struct Line: Decodable {
    var file: String
    var text: String
    var words: [Word]?
    var segments: [Segment]?
  }

  private struct Segment: Decodable {
    var words: [Word]
  }

  private func same(_ left: String, _ right: String) -> Bool {
    Array(left.unicodeScalars) == Array(right.unicodeScalars)
  }

  @Test(arguments: oddTexts)
  func comesBackFromAReader(text: String) throws {
    let word = Word(word: text, start: 0, end: 1, confidence: 0.5)
    let segment = TranscriptSegment(text: text + "x", start: 0, end: 1, words: [word])
    let odd = Transcript(file: text, duration: 1, segments: [segment])
    for format in [TranscriptFormat.json, .jsonl] {
      let rendered = format.render(odd)
      let line = try JSONDecoder().decode(Line.self, from: Data(rendered.utf8))
      let words = try #require(line.words ?? line.segments?.first?.words)
      #expect(same(line.file, text))
      #expect(same(line.text, text + "x"))
      #expect(same(words[0].word, text))
      let breaks = rendered.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      if format == .jsonl { #expect(breaks.count == 2) }
    }
  }

  /// Every scalar once, in blocks.
  @Test func everyScalar() throws {
    for block in stride(from: UInt32(0), through: 0x10FFFF, by: 0x1000) {
      var text = ""
      for value in block..<(block + 0x1000) {
        if let scalar = Unicode.Scalar(value) { text.unicodeScalars.append(scalar) }
      }
      let rendered = TranscriptFormat.jsonl.render(
        Transcript(file: text, duration: 0, segments: []))
      let object = try JSONSerialization.jsonObject(with: Data(rendered.utf8))
      let file = try #require((object as? [String: Any])?["file"] as? String)
      #expect(same(file, text), "block \(String(block, radix: 16))")
    }
  }

  @Test func escapes() {
    let text = "\"\\/\u{8}\u{c}\n\r\t\u{0}\u{1f}\u{7f}\u{85}\u{2028}é😀"
    let line = TranscriptFormat.jsonl.render(Transcript(file: text, duration: 0, segments: []))
    #expect(
      line.hasPrefix(
        #"{"file": "\"\\/\u0008\u000c\n\r\t\u0000\u001f\u007f\u0085\u2028é😀", "#))
  }
}
