import Decoding
import Foundation
import Testing
import Transcripts

@Suite struct SubtitlesTests {
  private func cues(_ segments: TranscriptSegment...) -> [Subtitles.Cue] {
    Subtitles(
      Transcript(file: "a", duration: (segments.last?.end ?? 0) + 10, segments: segments)
    ).cues
  }

  /// What must hold of every transcript.
  private func check(_ subtitles: Subtitles, _ about: Comment? = nil) {
    var before = 0
    for cue in subtitles.cues {
      #expect(cue.startMilliseconds >= before, about)
      #expect(cue.endMilliseconds > cue.startMilliseconds, about)
      #expect(cue.endMilliseconds - cue.startMilliseconds <= 7000, about)
      #expect((1...2).contains(cue.lines.count), about)
      for line in cue.lines {
        #expect((1...42).contains(line.count), about)
        #expect(line.split(whereSeparator: \.isNewline).count == 1, about)
        #expect(line.range(of: "-->", options: .literal) == nil, about)
      }
      before = cue.endMilliseconds
    }
  }

  @Test func srt() {
    let two = transcript(segment("hello world", from: 0.5), segment("again", from: 3661.25))
    #expect(
      TranscriptFormat.srt.render(two) == """
        1
        00:00:00,500 --> 00:00:01,500
        hello world

        2
        01:01:01,250 --> 01:01:02,250
        again

        """)
  }

  @Test func vtt() {
    let two = transcript(
      segment("a <b> & c", from: 0.5), segment("x<\u{301}y", from: 360_000, each: 2))
    #expect(
      TranscriptFormat.vtt.render(two) == """
        WEBVTT

        00:00:00.500 --> 00:00:01.500
        a &lt;b&gt; &amp; c

        100:00:00.000 --> 100:00:02.000
        x&lt;\u{301}y

        """)
  }

  @Test func empty() {
    let silence = Transcript(file: "a", duration: 9, segments: [])
    #expect(TranscriptFormat.srt.render(silence) == "")
    #expect(TranscriptFormat.vtt.render(silence) == "WEBVTT\n")
    #expect(cues(segment("")).isEmpty)
    #expect(cues(TranscriptSegment(text: " \n", start: 0, end: 1, words: [])).isEmpty)
  }

  @Test func breaksAtPausesAndSegments() {
    func gap(_ seconds: Double) -> Int {
      var pair = segment("one two")
      pair.words[1].start = pair.words[0].end + seconds
      pair.words[1].end = pair.words[1].start + 0.2
      return cues(pair).count
    }
    #expect(gap(0.599) == 1)
    #expect(gap(0.6) == 2)
    var late = segment("one two")
    // 1.7 - 1.1 is a little under 0.6 in binary.
    late.words[0].end = 1.1
    late.words[1].start = 1.7
    #expect(cues(late).count == 2)
    #expect(cues(segment("one"), segment("two", from: 0.25)).count == 2)
  }

  @Test func balancesLines() {
    let one = cues(segment("just forty two characters fit on this line", each: 0.1))
    #expect(one.map(\.lines) == [["just forty two characters fit on this line"]])
    let two = cues(segment("but when there are forty three characters, two", each: 0.1))
    #expect(two.map(\.lines) == [["but when there are forty", "three characters, two"]])
  }

  @Test func avoidsLonelyWords() {
    let text = Array(repeating: "seven77", count: 11).joined(separator: " ")
    #expect(cues(segment(text, each: 0.1)).count == 2)
    let widths = cues(segment(text, each: 0.1)).map { $0.lines.joined(separator: " ").count }
    #expect(widths.allSatisfy { $0 > 35 }, "\(widths)")
  }

  @Test func prefersToEndWithAClause() {
    let text =
      "he came in late that evening and sat down there. "
      + "nobody had a word to say about it until the next day came"
    let found = cues(segment(text, each: 0.1))
    #expect(found.count == 2)
    #expect(found.first?.lines.last?.hasSuffix("there.") == true)
  }

  @Test func longTimesAreCut() {
    let slow = cues(segment("a b c d e f g h i j", each: 1.5))
    #expect(slow.count == 3)
    let endless = cues(segment("aah", each: 30))
    #expect(endless.map(\.endMilliseconds) == [7000])
  }

  @Test func shortCuesStayWhereThereIsRoom() {
    let apart = cues(segment("a", from: 1, each: 0.1), segment("b", from: 3, each: 0.1))
    #expect(apart.map(\.endMilliseconds) == [2000, 4000])
    let close = cues(segment("a", from: 1, each: 0.1), segment("b", from: 1.4, each: 0.1))
    #expect(close.map(\.endMilliseconds) == [1400, 2400])
    let atTheEnd = Transcript(
      file: "a", duration: 1.3, segments: [segment("a", from: 1, each: 0.1)])
    #expect(Subtitles(atTheEnd).cues.map(\.endMilliseconds) == [1300])
  }

  @Test func longWords() {
    let long = String(repeating: "x", count: 100)
    let found = cues(segment("a \(long) b", each: 1))
    let text = found.flatMap(\.lines)
    #expect(text.joined().filter { $0 == "x" }.count == 100)
    #expect(text.contains(String(repeating: "x", count: 42)))
    #expect(text.allSatisfy { $0.count <= 42 })
    let exact = cues(segment(String(repeating: "y", count: 42)))
    #expect(exact.map(\.lines) == [[String(repeating: "y", count: 42)]])
    let family = cues(segment(String(repeating: "👨‍👩‍👧", count: 43)))
    #expect(family[0].lines.map(\.count).sorted() == [1, 42])
  }

  @Test func segmentsWithoutWordsShareTheirTime() {
    let text = Array(repeating: "word", count: 40).joined(separator: " ")
    let found = cues(TranscriptSegment(text: text, start: 10, end: 20, words: []))
    #expect(found.count == 3)
    #expect(found.first?.startMilliseconds == 10_000)
    #expect(found.last?.endMilliseconds == 20_000)
    #expect(found.flatMap(\.lines).joined(separator: " ") == text)
  }

  @Test func overlapsAndDisorderAreMended() {
    let tangled = Transcript(
      file: "a", duration: 0,
      segments: [
        segment("a b", from: 5, each: 2), segment("c", from: 6), segment("d", from: 1),
        segment("e", from: -3), TranscriptSegment(text: "f", start: 9, end: 2, words: []),
        TranscriptSegment(text: "g", start: .nan, end: .infinity, words: []),
      ])
    let subtitles = Subtitles(tangled)
    check(subtitles)
    #expect(subtitles.cues.map(\.lines) == [["a b"], ["c"], ["d"], ["e"], ["f"], ["g"]])
  }

  @Test(arguments: oddTexts)
  func oddWords(text: String) {
    let word = Word(word: text, start: 1, end: 2, confidence: 1)
    let odd = Transcript(
      file: "a", duration: 2,
      segments: [TranscriptSegment(text: text, start: 1, end: 2, words: [word, word])])
    check(Subtitles(odd))
    for format in [TranscriptFormat.srt, .vtt] {
      let arrows = format.render(odd).components(separatedBy: "-->").count - 1
      #expect(arrows == Subtitles(odd).cues.count)
    }
  }

  /// No word is lost and every rule holds, whatever the lengths and times.
  @Test(arguments: 0..<40)
  func anyTranscript(seed: Int) {
    var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
    func random(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % count
    }
    var time = 0.0
    let segments = (0..<4).map { _ in
      let words = (0..<random(60)).map { _ in
        time += random(8) == 0 ? Double(random(1500)) / 1000 : 0
        let start = time
        time += Double(random(random(10) == 0 ? 9000 : 500)) / 1000
        let length = random(20) == 0 ? 1 + random(120) : 1 + random(12)
        let word = String(repeating: "w", count: length)
        return Word(word: word, start: start, end: time, confidence: 1)
      }
      let text = words.map(\.word).joined(separator: " ")
      return TranscriptSegment(
        text: text, start: words.first?.start ?? time, end: time, words: words)
    }
    let all = Transcript(file: "a", duration: time, segments: segments)
    let subtitles = Subtitles(all)
    check(subtitles, "seed \(seed)")
    let shown = subtitles.cues.flatMap(\.lines).joined().filter { $0 == "w" }.count
    #expect(shown == all.words.reduce(0) { $0 + $1.word.count })
  }
}
