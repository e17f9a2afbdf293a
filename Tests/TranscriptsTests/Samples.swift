import Decoding
import Foundation
import Transcripts

/// Words of equal length in time, one after another.
func words(_ text: String, from start: Double = 0, each seconds: Double = 0.25) -> [Word] {
  text.split(separator: " ").enumerated().map { index, word in
    let begin = start + Double(index) * seconds
    return Word(word: String(word), start: begin, end: begin + seconds, confidence: 0.9)
  }
}

func segment(
  _ text: String, from start: Double = 0, each seconds: Double = 0.25
) -> TranscriptSegment {
  let words = words(text, from: start, each: seconds)
  return TranscriptSegment(
    text: text, start: start, end: words.last?.end ?? start, words: words)
}

func transcript(_ segments: TranscriptSegment..., file: String = "a.wav") -> Transcript {
  Transcript(file: file, duration: (segments.last?.end ?? 0) + 10, segments: segments)
}

/// What a test's own folder leads to; the folder is gone afterwards.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("starling-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder.path)
}

/// Text no format may stumble over.
let oddTexts = [
  "", " ", "plain", "say \"hi\" \\ bye", "tab\tand\nline\r\nend",
  "\u{0}\u{1}\u{8}\u{c}\u{1f}\u{7f}",
  "\u{85}next\u{2028}line\u{2029}end", "naïve 日本語 😀 👨‍👩‍👧", "e\u{301}", "\"\u{301}accented quote",
  "a/b",
  "<b>&amp;</b>", "1 --> 2", "--->", "--\u{301}>", "\u{10FFFF}\u{FFFF}", "]]>\u{202E}rtl",
]
