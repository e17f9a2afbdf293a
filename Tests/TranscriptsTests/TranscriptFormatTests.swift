import Decoding
import Foundation
import Testing
import Transcripts

@Suite struct TranscriptFormatTests {
  private let hello = Transcript(
    file: "dir/hello there.wav", duration: 2.5000000001,
    segments: [
      TranscriptSegment(
        text: "hello", start: 0.1 + 0.2, end: 1,
        words: [Word(word: "hello", start: 0.1 + 0.2, end: 1, confidence: 0.97316)]),
      TranscriptSegment(text: "", start: 1, end: 1.2, words: []),
      TranscriptSegment(
        text: "world", start: 1.2345, end: 2,
        words: [Word(word: "world", start: 1.2345, end: 2, confidence: 1)]),
    ])
  private let silence = Transcript(file: "silence.wav", duration: 3, segments: [])

  @Test func namesAndExtensions() {
    let extensions = TranscriptFormat.allCases.map(\.fileExtension)
    #expect(extensions == ["txt", "json", "jsonl", "srt", "vtt", "tsv", "ctm"])
    #expect(TranscriptFormat(rawValue: "text") == .text)
    let single = TranscriptFormat.allCases.filter { !$0.allowsSeveralFiles }
    #expect(single == [.srt, .vtt])
  }

  @Test func joinsSegments() {
    #expect(hello.text == "hello world")
    #expect(hello.words.map(\.word) == ["hello", "world"])
    #expect(silence.text == "")
    #expect(transcript(segment("a"), segment("  "), segment("b")).text == "a b")
  }

  @Test func text() {
    #expect(TranscriptFormat.text.render(hello) == "hello world\n")
    #expect(TranscriptFormat.text.render(silence) == "")
    #expect(
      TranscriptFormat.text.renderAll([hello, silence])
        == "dir/hello there.wav\thello world\nsilence.wav\t\n")
    let odd = transcript(segment("a"), file: "x\ty\r\nz.wav")
    #expect(TranscriptFormat.text.renderAll([odd, odd]) == "x y z.wav\ta\nx y z.wav\ta\n")
  }

  @Test func jsonl() {
    let line = """
      {"file": "dir/hello there.wav", "duration": 2.5, "text": "hello world", "words": \
      [{"word": "hello", "start": 0.3, "end": 1, "confidence": 0.9732}, \
      {"word": "world", "start": 1.235, "end": 2, "confidence": 1}]}

      """
    #expect(TranscriptFormat.jsonl.render(hello) == line)
    let empty = "{\"file\": \"silence.wav\", \"duration\": 3, \"text\": \"\", \"words\": []}\n"
    #expect(TranscriptFormat.jsonl.renderAll([hello, silence]) == line + empty)
  }

  private let prettyHello = """
    {
      "file": "dir/hello there.wav",
      "duration": 2.5,
      "text": "hello world",
      "segments": [
        {
          "start": 0.3,
          "end": 1,
          "text": "hello",
          "words": [
            {"word": "hello", "start": 0.3, "end": 1, "confidence": 0.9732}
          ]
        },
        {
          "start": 1,
          "end": 1.2,
          "text": "",
          "words": []
        },
        {
          "start": 1.235,
          "end": 2,
          "text": "world",
          "words": [
            {"word": "world", "start": 1.235, "end": 2, "confidence": 1}
          ]
        }
      ]
    }
    """

  @Test func json() {
    #expect(TranscriptFormat.json.render(hello) == prettyHello + "\n")
    let indented = prettyHello.split(separator: "\n").map { "  " + $0 }.joined(separator: "\n")
    let silent = """
        {
          "file": "silence.wav",
          "duration": 3,
          "text": "",
          "segments": []
        }
      """
    #expect(
      TranscriptFormat.json.renderAll([hello, silence]) == "[\n\(indented),\n\(silent)\n]\n")
    #expect(TranscriptFormat.json.renderAll([]) == "[\n]\n")
  }

  @Test func tsv() {
    #expect(
      TranscriptFormat.tsv.render(hello) == """
        file\tstart\tend\ttext
        dir/hello there.wav\t0.300\t1.000\thello
        dir/hello there.wav\t1.000\t1.200\t
        dir/hello there.wav\t1.235\t2.000\tworld

        """)
    #expect(TranscriptFormat.tsv.render(silence) == "file\tstart\tend\ttext\n")
    let odd = TranscriptSegment(text: "a\tb\nc\u{2028}d", start: 0, end: 3600, words: [])
    let several = TranscriptFormat.tsv.renderAll([
      transcript(odd, file: "o\tdd"), transcript(odd, file: "p"),
    ])
    #expect(
      several == "file\tstart\tend\ttext\no dd\t0.000\t3600.000\ta b c d\n"
        + "p\t0.000\t3600.000\ta b c d\n")
  }

  @Test func ctm() {
    #expect(
      TranscriptFormat.ctm.render(hello) == """
        hello_there 1 0.300 0.700 hello 0.9732
        hello_there 1 1.235 0.765 world 1.0000

        """)
    #expect(TranscriptFormat.ctm.render(silence) == "")
    var odd = transcript(segment("x"), file: "-")
    odd.segments[0].words = [
      Word(word: "new york", start: 2, end: 1, confidence: 0),
      Word(word: "", start: 2, end: 3, confidence: 1),
    ]
    #expect(TranscriptFormat.ctm.render(odd) == "stdin 1 2.000 0.000 new_york 0.0000\n")
  }

  @Test func ctmRowsEndWhereTheWordEnds() throws {
    // 1.0006 - 0.0004 rounds to 1.000, but the rounded times are 1.001 and 0.000.
    var one = transcript(segment("x"))
    one.segments[0].words = [Word(word: "x", start: 0.0004, end: 1.0006, confidence: 1)]
    #expect(TranscriptFormat.ctm.render(one) == "a 1 0.000 1.001 x 1.0000\n")
  }

  @Test(arguments: ["a.b.wav": "a.b", "/x/.wav": ".wav", "a": "a", "x/a.": "a.", "q w\te": "q_w_e"])
  func ctmFileNames(path: String, stem: String) {
    let line = TranscriptFormat.ctm.render(transcript(segment("x"), file: path))
    #expect(line.split(separator: " ").first.map(String.init) == stem)
  }

  @Test(arguments: [
    (0.1 + 0.2, "0.3"), (1, "1"), (1.0000000001, "1"), (0, "0"), (-0.0, "0"), (-0.0004, "0"),
    (-1.5, "-1.5"), (10, "10"), (100.25, "100.25"), (3599.9996, "3600"), (0.001, "0.001"),
    (0.0005, "0.001"), (.nan, "0"), (.infinity, "0"), (1e300, "1000000000000"), (1e-12, "0"),
  ])
  func numbers(seconds: Double, text: String) {
    let line = TranscriptFormat.jsonl.render(Transcript(file: "", duration: seconds, segments: []))
    #expect(line == "{\"file\": \"\", \"duration\": \(text), \"text\": \"\", \"words\": []}\n")
  }
}
