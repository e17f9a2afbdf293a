import Foundation
import TestSupport
import Testing

@Suite struct TranscribeTests {
  private func transcribe(
    _ arguments: String..., input: [UInt8]? = nil
  ) throws -> Starling.Result {
    try Starling.run(["transcribe"] + arguments, input: input)
  }

  @Test(arguments: [Sample.book, Sample.telephone, Sample.dreamland])
  func textOfASample(path: String) throws {
    let result = try transcribe(path)
    expectSuccess(result)
    #expect(try result.output == Sample.text(path) + "\n")
  }

  @Test func jsonlHasItsFieldsInOrder() throws {
    let result = try transcribe(Sample.dreamland, "--format", "jsonl")
    expectSuccess(result)
    let line = try #require(result.lines.first)
    #expect(result.lines.count == 1)
    let word =
      #"\{"word": "[a-z']+", "start": [0-9.]+, "end": [0-9.]+, "confidence": [01](\.[0-9]+)?\}"#
    let shape = try Regex(
      #"\{"file": "[^"]+", "duration": [0-9.]+, "text": "[a-z' ]+", "words": \["#
        + word + "(, " + word + #")*\]\}"#)
    #expect(try shape.wholeMatch(in: line) != nil, "\(line)")
    let object = try parseJSON(line)
    #expect(object["file"] as? String == Sample.dreamland)
    #expect(abs((object["duration"] as? Double ?? 0) - 4.584) < 0.05)
    #expect(try object["text"] as? String == Sample.text(Sample.dreamland))
    let words = try #require(object["words"] as? [[String: Any]])
    let text = words.compactMap { $0["word"] as? String }.joined(separator: " ")
    #expect(try text == Sample.text(Sample.dreamland))
    var before = 0.0
    for word in words {
      let (start, end) = (word["start"] as? Double ?? -1, word["end"] as? Double ?? -1)
      #expect(before <= start && start < end && end <= 4.6)
      before = end
    }
  }

  @Test func otherFormatsParse() throws {
    let text = try Sample.text(Sample.dreamland)
    let words = text.split(separator: " ").map(String.init)

    let json = try transcribe(Sample.dreamland, "--format", "json")
    expectSuccess(json)
    let object = try parseJSON(json.output)
    #expect(object["text"] as? String == text)
    let segments = try #require(object["segments"] as? [[String: Any]])
    #expect(segments.compactMap { $0["text"] as? String }.joined(separator: " ") == text)

    let clock = #"\d\d:\d\d:\d\d[,.]\d\d\d"#
    let cue = try Regex("\(clock) --> \(clock)")
    let srt = try transcribe(Sample.dreamland, "--format", "srt")
    expectSuccess(srt)
    #expect(srt.lines.first == "1")
    #expect(try cue.wholeMatch(in: srt.lines[1]) != nil && srt.lines[1].contains(","))
    #expect(srt.lines[2...].joined(separator: " ").trimmingCharacters(in: .whitespaces) == text)

    let vtt = try transcribe(Sample.dreamland, "--format", "vtt")
    expectSuccess(vtt)
    #expect(vtt.lines.prefix(2) == ["WEBVTT", ""])
    #expect(try cue.wholeMatch(in: vtt.lines[2]) != nil && vtt.lines[2].contains("."))

    let tsv = try transcribe(Sample.dreamland, "--format", "tsv")
    expectSuccess(tsv)
    #expect(tsv.lines.first == "file\tstart\tend\ttext")
    #expect(tsv.lines[1].split(separator: "\t").last.map(String.init) == text)

    let ctm = try transcribe(Sample.dreamland, "--format", "ctm")
    expectSuccess(ctm)
    let rows = ctm.lines.map { $0.split(separator: " ").map(String.init) }
    #expect(rows.allSatisfy { $0.count == 6 && $0[0] == "dreamland" && Double($0[2]) != nil })
    #expect(rows.map { $0[4] } == words)
  }

  /// However many threads a product has, and whoever else wants them.
  @Test func threadsOfAProductChangeNothing() throws {
    let arguments = ["transcribe", Sample.chapter, Sample.book, "--format", "jsonl"]
    let alone = try Starling.run(arguments)
    expectSuccess(alone)
    for more in [["--threads", "2"], ["--threads", "3", "--jobs", "2"]] {
      #expect(try Starling.run(arguments + more).output == alone.output, "\(more)")
    }
  }

  @Test func severalFilesComeInTheirOrder() throws {
    // The longest first: it is finished last.
    let files = [Sample.book, Sample.dreamland, Sample.telephone]
    let arguments = ["transcribe", "--jobs", "2", "--format", "jsonl"] + files
    let result = try Starling.run(arguments)
    expectSuccess(result)
    let objects = try result.lines.map(parseJSON)
    #expect(objects.compactMap { $0["file"] as? String } == files)
    #expect(try objects.compactMap { $0["text"] as? String } == files.map(Sample.text))
    let text = try Starling.run(["transcribe", "--jobs", "2"] + files)
    #expect(try text.lines == files.map { try $0 + "\t" + Sample.text($0) })
  }

  @Test func oneArrayOfJSONForSeveralFiles() throws {
    let result = try transcribe(Sample.stereo, Sample.dreamland, "--format", "json")
    expectSuccess(result)
    let array = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    #expect((array as? [[String: Any]])?.count == 2)
    let subtitles = try transcribe(Sample.stereo, Sample.dreamland, "--format", "srt")
    expectRefusal(subtitles, saying: "srt holds one file", "--output")
  }

  @Test func aFolderMeansTheAudioInIt() throws {
    let folder = TemporaryFolder()
    try folder.copy("stereo-48khz.wav", to: "b/stereo.wav")
    try folder.copy("dreamland.mp3", to: "a.mp3")
    try folder.write("notes.txt", "no audio".utf8)
    let result = try transcribe(folder.path)
    expectSuccess(result)
    #expect(
      try result.lines == [
        folder.path + "/a.mp3\t" + Sample.text(Sample.dreamland),
        folder.path + "/b/stereo.wav\t" + Sample.stereoText,
      ])
  }

  @Test(arguments: [Sample.telephone, Sample.book, Sample.dreamland])
  func aFileOnStandardInput(path: String) throws {
    let result = try transcribe("-", input: bytes(of: path))
    expectSuccess(result)
    #expect(try result.output == Sample.text(path) + "\n")
  }

  @Test func headerlessSamplesOnStandardInput() throws {
    let mulaw = try transcribe(
      "-", "--encoding", "mulaw", "--sample-rate", "8000",
      input: Sample.data(ofWAV: Sample.telephone))
    expectSuccess(mulaw)
    #expect(try mulaw.output == Sample.text(Sample.telephone) + "\n")
    let stereo = try transcribe(
      "-", "--encoding", "s16le", "--sample-rate", "48000", "--channels", "2", "--format", "jsonl",
      input: Sample.data(ofWAV: Sample.stereo))
    expectSuccess(stereo)
    let object = try parseJSON(stereo.output)
    #expect(object["file"] as? String == "-")
    #expect(object["text"] as? String == Sample.stereoText)
    let undeclared = try transcribe("-", input: Sample.data(ofWAV: Sample.telephone))
    expectRefusal(undeclared, saying: "standard input", "--encoding", "--sample-rate")
  }

  @Test(arguments: [0, UInt32.max])
  func aWAVOfUnknownLength(stated: UInt32) throws {
    let folder = TemporaryFolder()
    let wav = try WAV(statedLength: stated, data: Sample.pcm16(Sample.dreamland)).bytes
    let text = try Sample.text(Sample.dreamland) + "\n"
    let file = try transcribe(folder.write("open.wav", wav))
    expectSuccess(file)
    #expect(file.output == text)
    let pipe = try transcribe("-", input: wav)
    expectSuccess(pipe)
    #expect(pipe.output == text)
  }

  @Test func manyChannelsAtAHighRate() throws {
    let folder = TemporaryFolder()
    let samples = try Sample.pcm16(Sample.dreamland)
    // Each sample twelve times over, in eight channels.
    var data: [UInt8] = []
    data.reserveCapacity(samples.count * 96)
    for start in stride(from: 0, to: samples.count, by: 2) {
      for _ in 0..<96 { data += samples[start..<start + 2] }
    }
    let file = try folder.write("wide.wav", WAV(channels: 8, rate: 192_000, data: data).bytes)
    let result = try transcribe(file)
    expectSuccess(result)
    #expect(try result.output == Sample.text(Sample.dreamland) + "\n")
  }

  @Test func latencyByNameAndByFrames() throws {
    let named = [
      "160ms": "2/2", "320ms": "4/4", "640ms": "8/8", "960ms": "16/8", "1280ms": "16/16",
    ]
    for (name, frames) in named {
      let byName = try transcribe("--latency", name, "--format", "jsonl", Sample.dreamland)
      let byFrames = try transcribe("--latency", frames, "--format", "jsonl", Sample.dreamland)
      expectSuccess(byName)
      #expect(byName.output == byFrames.output)
      #expect(byName.output.contains("\"text\": \"now i "))
    }
    let full = try transcribe("--latency", "full", Sample.dreamland)
    #expect(try full.output == Sample.text(Sample.dreamland) + "\n")
    let plainChunks = try transcribe("--latency", "16/0", Sample.dreamland)
    expectSuccess(plainChunks)
    #expect(plainChunks.output.contains("gently"))
  }

  @Test(arguments: ["", "640", "8", "0/8", "8/-1", "8/8/8", "1501/0", "8/1501", "x/y", "fast"])
  func aLatencyThatIsNone(value: String) throws {
    expectUsageError(try transcribe("--latency=" + value, Sample.dreamland), saying: "--latency")
  }

  @Test func leftContext() throws {
    for frames in ["0", "64", "unlimited"] {
      let result = try transcribe(
        "--latency", "1280ms", "--left-context", frames, Sample.dreamland)
      expectSuccess(result)
      #expect(result.output.contains("drift"), "\(frames)")
    }
    let none = try transcribe(
      "--latency", "2/2", "--left-context", "0", "--format", "jsonl", Sample.book)
    let much = try transcribe(
      "--latency", "2/2", "--left-context", "64", "--format", "jsonl", Sample.book)
    #expect(none.output != much.output, "the left context makes no difference")
    for value in ["-1", "many", "100001"] {
      expectUsageError(
        try transcribe("--left-context=" + value, Sample.dreamland), saying: "--left-context")
    }
  }

  @Test func aFailureLeavesTheOtherFilesDone() throws {
    let folder = TemporaryFolder()
    let missing = folder.path + "/missing.wav"
    let result = try transcribe(Sample.book, missing, Sample.dreamland, "--jobs", "1")
    expectRefusal(
      result, saying: "'\(missing)': no such file",
      output: try [Sample.book, Sample.dreamland]
        .map { try $0 + "\t" + Sample.text($0) + "\n" }.joined())
  }

  @Test func optionsThatCannotBe() throws {
    for (arguments, part) in [
      (["--jobs", "0"], "--jobs"), (["--threads", "0"], "--threads"),
      (["--format", "doc"], "--format"), (["--output", "x", "--beside"], "--beside"),
      (["--channel", "0"], "--channel"), (["-", "-"], "once"),
    ] {
      let result = try Starling.run(["transcribe", Sample.dreamland] + arguments)
      expectUsageError(result, saying: part)
    }
  }
}
