import Foundation
import TestSupport
import Testing

@Suite struct StreamCommandTests {
  /// One line of `stream --format jsonl`.
  private struct Event: Decodable {
    struct Word: Decodable {
      var word: String
      var start: Double
      var end: Double
      var confidence: Double
    }
    var type: String
    var utterance: Int
    var text: String
    var committed: String
    var start: Double
    var end: Double
    var words: [Word]
  }

  private func stream(
    _ arguments: String..., input: [UInt8]?, pieces: [Int] = []
  ) throws -> Starling.Result {
    try Starling.run(["stream"] + arguments, input: input, pieces: pieces)
  }

  private func events(_ lines: [String]) throws -> [Event] {
    try lines.map { try JSONDecoder().decode(Event.self, from: Data($0.utf8)) }
  }

  private func finals(_ result: Starling.Result) -> [String] {
    result.lines.filter { $0.hasPrefix(#"{"type": "final""#) }
  }

  private func finalText(_ result: Starling.Result) throws -> String {
    try events(finals(result)).map(\.text).filter { !$0.isEmpty }.joined(separator: " ")
  }

  /// The text and the segments' texts of `transcribe --latency 640ms`.
  private func transcript(_ wav: [UInt8]) throws -> (text: String, segments: [String]) {
    let result = try Starling.run(
      ["transcribe", "-", "--latency", "640ms", "--format", "json"], input: wav)
    let object = try parseJSON(result.output)
    let segments = object["segments"] as? [[String: Any]] ?? []
    return (object["text"] as? String ?? "", segments.compactMap { $0["text"] as? String })
  }

  @Test func eventsAreConsistent() throws {
    let pcm = try Sample.pcm16(Sample.chapter, seconds: 45)
    let result = try stream("--format", "jsonl", input: pcm)
    expectSuccess(result)
    let events = try events(result.lines)
    let (text, segments) = try transcript(WAV(data: pcm).bytes)
    #expect(segments.count > 1, "the sample is too short to show how utterances follow")
    #expect(events.filter { $0.type == "final" }.map(\.text) == segments)
    #expect(try finalText(result) == text)
    #expect(events.last?.type == "final")
    #expect(events.count { $0.type == "partial" } > 50)

    var utterance = 0
    var committed = ""
    var previousEnd = 0.0
    for event in events {
      #expect(["partial", "final"].contains(event.type))
      #expect(event.utterance == utterance)
      #expect(event.text.hasPrefix(event.committed))
      #expect(event.committed.hasPrefix(committed), "'\(committed)' was taken back")
      #expect(event.words.map(\.word).joined(separator: " ") == event.text)
      #expect(event.start == event.words.first?.start ?? 0)
      #expect(event.end == event.words.last?.end ?? 0)
      var time = previousEnd
      for word in event.words {
        #expect(time <= word.start && word.start <= word.end)
        #expect((0...1).contains(word.confidence))
        time = word.end
      }
      committed = event.committed
      guard event.type == "final" else { continue }
      #expect(event.committed == event.text)
      utterance += 1
      committed = ""
      previousEnd = event.end
    }
    #expect(previousEnd <= 45)
  }

  @Test(arguments: [Sample.book, Sample.stereo, Sample.telephone])
  func theLastWordIsHeard(path: String) throws {
    let wav = try WAV(data: Sample.pcm16(path)).bytes
    let result = try stream("--format", "jsonl", input: wav)
    expectSuccess(result)
    #expect(try finalText(result) == transcript(wav).text)
    let last = try Sample.text(path).split(separator: " ").last.map(String.init)
    #expect(try events(finals(result)).last?.words.last?.word == last)
  }

  @Test func anySplitGivesTheSameResult() throws {
    let pcm = try Sample.pcm16(Sample.dreamland)
    let whole = try stream("--format", "jsonl", input: pcm)
    expectSuccess(whole)
    for piece in [1, 7] {
      let pieces = Array(repeating: piece, count: pcm.count / piece)
      let result = try stream("--format", "jsonl", input: pcm, pieces: pieces)
      #expect(result.lines == whole.lines, "in pieces of \(piece)")
    }
    let starling = try Starling(["stream", "--format", "jsonl"])
    for start in stride(from: 0, to: pcm.count, by: 4096) {
      starling.write(pcm[start..<min(pcm.count, start + 4096)])
      Thread.sleep(forTimeInterval: 0.005)
    }
    starling.endInput()
    #expect(starling.wait().lines == whole.lines, "with pauses")
  }

  @Test func partialsComeBeforeTheEnd() throws {
    let starling = try Starling(["stream", "--format", "jsonl"])
    starling.write(try Sample.pcm16(Sample.book, seconds: 5))
    #expect(starling.waitForOutput { $0.contains(#"{"type": "partial""#) && $0.hasSuffix("\n") })
    #expect(!starling.output.contains(#""final""#))
    starling.endInput()
    let result = starling.wait()
    expectSuccess(result)
    #expect(finals(result).count == 1)
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func aSignalEndsTheAudioAndNotTheText(signal: Int32) throws {
    let pcm = try Sample.pcm16(Sample.book, seconds: 5)
    let starling = try Starling(["stream", "--format", "jsonl"])
    starling.write(pcm)
    #expect(starling.waitForOutput { $0.contains(#"{"type": "partial""#) })
    // Up to two seconds of the audio are still in the pipe.
    starling.send(signal)
    let result = starling.wait()
    expectSuccess(result)
    #expect(finals(result).count == 1)
    #expect(try result.lines == stream("--format", "jsonl", input: pcm).lines)
  }

  /// Two days of silence are not waited for.
  @Test func aSignalEndsAFileWhereItIs() throws {
    let folder = TemporaryFolder()
    let path = try folder.write("book.pcm", Sample.pcm16(Sample.book, seconds: 5))
    #expect(truncate(path, 2 * 86400 * 32000) == 0)
    let command = ["-c", #"exec "$0" stream --format jsonl < "$1""#, Starling.executable, path]
    let starling = try Starling(command, executable: "/bin/sh")
    #expect(starling.waitForOutput { $0.contains(#"{"type": "partial""#) })
    starling.send(SIGINT)
    let result = starling.wait()
    expectSuccess(result)
    #expect(!finals(result).isEmpty)
  }

  @Test func textInAPipeIsALineAnUtterance() throws {
    let pcm = try Sample.pcm16(Sample.chapter, seconds: 45)
    let result = try stream(input: pcm)
    expectSuccess(result)
    #expect(try result.lines == transcript(WAV(data: pcm).bytes).segments)
  }

  @Test func aCompressedFileIsRefused() throws {
    for (path, name) in [(Sample.book, "FLAC"), (Sample.dreamland, "MP3"), (Sample.chapter, "Ogg")]
    {
      for format in ["jsonl", "text"] {
        let result = try stream("--format", format, input: bytes(of: path))
        expectRefusal(result, saying: "standard input", "found \(name)", "transcribe -", "ffmpeg")
      }
    }
  }

  @Test func samplesThatBeginLikeAnMP3AreHeard() throws {
    // A valid header of an MP3 frame, but no second frame where the first would end.
    let pcm = try [0xFF, 0xFB, 0x90, 0x00] + Sample.pcm16(Sample.dreamland).dropFirst(4)
    let result = try stream(input: pcm)
    expectSuccess(result)
    #expect(result.output.contains("drift"))
  }

  @Test func nothingAtAll() throws {
    let empty = #"{"type": "final", "utterance": 0, "text": "", "committed": "", "#
    for input in [nil, [], [7], WAV().bytes] as [[UInt8]?] {
      let result = try stream("--format", "jsonl", input: input)
      expectSuccess(result)
      #expect(result.output == empty + #""start": 0, "end": 0, "words": []}"# + "\n")
    }
    let text = try stream(input: [])
    expectSuccess(text)
    #expect(text.output == "")
  }

  @Test func anOddByteAtTheEnd() throws {
    let pcm = try Sample.pcm16(Sample.dreamland)
    let even = try stream("--format", "jsonl", input: pcm)
    let odd = try stream("--format", "jsonl", input: pcm + [42])
    expectSuccess(odd)
    #expect(odd.output == even.output)
  }

  @Test(arguments: [0, UInt32.max])
  func aWAVOfUnknownLength(stated: UInt32) throws {
    let pcm = try Sample.pcm16(Sample.dreamland)
    let wav = try stream(
      "--format", "jsonl", input: WAV(statedLength: stated, data: pcm).bytes)
    expectSuccess(wav)
    #expect(try wav.output == stream("--format", "jsonl", input: pcm).output)
  }

  @Test func aTruncatedWAVIsHeardAndThenReported() throws {
    let pcm = try Sample.pcm16(Sample.book)
    let wav = WAV(statedLength: UInt32(pcm.count + 9000), data: pcm).bytes
    let result = try stream(input: wav)
    expectRefusal(
      result, saying: "standard input", "truncated",
      output: try stream(input: pcm).output)
    #expect(result.output.hasPrefix("imitates"))
  }

  @Test func samplesThatAreNoNumbers() throws {
    let tone = (0..<16_000).map { 0.3 * sinf(Float($0) / 10) } + [.nan]
    let result = try stream(
      "--encoding", "f32le", "--format", "jsonl",
      input: tone.flatMap { littleEndian($0.bitPattern) })
    expectRefusal(result, saying: "standard input", "found nan at sample 16000", output: nil)
    #expect(finals(result).count <= 1)
  }

  @Test func telephone() throws {
    let data = try Sample.data(ofWAV: Sample.telephone)
    let raw = try stream("--encoding", "mulaw", "--sample-rate", "8000", input: data)
    expectSuccess(raw)
    #expect(raw.output.hasPrefix("could he witness the definite imprisonment"))
    let wav = try stream(input: bytes(of: Sample.telephone))
    #expect(raw.output == wav.output)
  }

  @Test func optionsThatCannotBe() throws {
    for (arguments, part) in [
      (["--format", "srt"], "use transcribe"), (["--latency", "now"], "--latency"),
      (["--encoding", "mp3"], "--encoding"), (["file.wav"], "file.wav"),
    ] {
      expectUsageError(try Starling.run(["stream"] + arguments), saying: part)
    }
    for (arguments, part) in [
      (["--sample-rate", "3"], "found 3 Hz"), (["--channels", "0"], "channels"),
    ] {
      let result = try Starling.run(["stream"] + arguments, input: [0, 0])
      expectRefusal(result, saying: "standard input", part)
    }
  }
}
