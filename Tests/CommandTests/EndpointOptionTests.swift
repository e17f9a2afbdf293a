import Foundation
import TestSupport
import Testing

/// The rules that end utterances, as a user sets them.
@Suite struct EndpointOptionTests {
  /// Faint noise as 16-bit samples at 16 kHz.
  private func noise(seconds: Int) -> [UInt8] {
    var generator = SeededGenerator(seed: 5)
    return (0..<seconds * 16_000).flatMap { _ in
      littleEndian(Int16(generator.normal(30).rounded()))
    }
  }

  private static let sentences = [Sample.dreamland, Sample.book]

  /// Two sentences, with four seconds of silence before, between and after.
  private func pausedSpeech() throws -> [UInt8] {
    try Self.sentences.flatMap { noise(seconds: 4) + (try Sample.pcm16($0)) } + noise(seconds: 4)
  }

  private func sentences() throws -> [String] { try Self.sentences.map(Sample.text) }

  private func finals(_ arguments: String..., input: [UInt8]) throws -> [[String: Any]] {
    let result = try Starling.run(["stream", "--format", "jsonl"] + arguments, input: input)
    expectSuccess(result)
    return try result.lines.map(parseJSON).filter { $0["type"] as? String == "final" }
  }

  private func texts(_ events: [[String: Any]]) -> [String] {
    events.compactMap { $0["text"] as? String }
  }

  @Test(arguments: [[], ["--vad"], ["--final-pass", "rescore"]])
  func streamTellsOfSilence(options: [String]) throws {
    let input = try pausedSpeech()
    func run(_ arguments: [String]) throws -> [[String: Any]] {
      let result = try Starling.run(
        ["stream", "--format", "jsonl"] + options + arguments, input: input)
      expectSuccess(result)
      return try result.lines.map(parseJSON).filter { $0["type"] as? String == "final" }
    }
    let off = try run([])
    #expect(try texts(off) == sentences())
    #expect(texts(try run(["--endpoint-no-text", "never"])) == texts(off))
    let on = try run(["--endpoint-no-text", "1.5"])
    #expect(texts(on).filter { !$0.isEmpty } == texts(off))
    #expect(on.count >= 6, "\(texts(on))")
    #expect(on.first?["text"] as? String == "" && on.last?["text"] as? String == "")
    #expect(on.compactMap { $0["utterance"] as? Int } == Array(on.indices))
  }

  /// While nobody speaks: the event comes before the input ends.
  @Test func silenceIsToldAtOnce() throws {
    let starling = try Starling(["stream", "--format", "jsonl", "--endpoint-no-text", "2"])
    starling.write(noise(seconds: 4))
    let empty = #"{"type": "final", "utterance": 0, "text": "", "committed": "", "#
    #expect(starling.waitForOutput { $0.hasPrefix(empty) && $0.hasSuffix("\n") })
    starling.endInput()
    expectSuccess(starling.wait())
  }

  @Test func textOfAStreamHasNoEmptyLines() throws {
    let result = try Starling.run(
      ["stream", "--endpoint-no-text", "0.5"], input: try pausedSpeech())
    expectSuccess(result)
    #expect(try result.lines == sentences())
  }

  /// In no format of a transcript is silence a segment.
  @Test(arguments: ["text", "json", "jsonl", "srt", "vtt", "tsv", "ctm"])
  func transcriptsHoldNoSilence(format: String) throws {
    let folder = TemporaryFolder()
    let file = try folder.write("paused.wav", WAV(data: try pausedSpeech()).bytes)
    let off = try Starling.run(["transcribe", file, "--format", format])
    expectSuccess(off)
    let on = try Starling.run(
      ["transcribe", file, "--format", format, "--endpoint-no-text", "0.5"])
    expectSuccess(on)
    #expect(on.output == off.output && off.output.contains("dreamland"))
  }

  /// A pause within a sentence divides it if it is said to.
  @Test func endpointSilence() throws {
    let book = try Sample.pcm16(Sample.book)
    let input = book + noise(seconds: 2) + book
    let usual = try finals(input: input)
    #expect(usual.count == 2)
    #expect(try texts(finals("--endpoint-silence", "1", input: input)) == texts(usual))
    let patient = try finals("--endpoint-silence", "4", input: input)
    #expect(texts(patient) == [texts(usual).joined(separator: " ")])
    #expect(
      try texts(finals("--endpoint-silence", "never", input: input)) == texts(patient))
  }

  @Test func longestUtterance() throws {
    let input = try Sample.pcm16(Sample.chapter, seconds: 60)
    let usual = try finals("--endpoint-silence", "never", input: input)
    func lengths(_ events: [[String: Any]]) -> [Double] {
      events.compactMap { event in
        (event["end"] as? Double).flatMap { end in (event["start"] as? Double).map { end - $0 } }
      }
    }
    #expect(lengths(usual).max()! < 22)
    let short = try finals(
      "--endpoint-silence", "never", "--longest-utterance", "6", input: input)
    #expect(lengths(short).max()! < 8 && short.count > 8)
    let one = try finals(
      "--endpoint-silence", "never", "--longest-utterance", "never", input: input)
    #expect(one.count == 1)
    for division in [usual, short] {
      #expect(texts(division).joined(separator: " ") == texts(one)[0])
    }
  }

  /// Nothing piles up while nobody speaks, neither for the final pass nor in the detector.
  @Test func silenceTakesNoMemory() throws {
    func peak(minutes: Int) throws -> Int {
      let result = try Starling.run(
        [
          "stream", "--format", "jsonl", "--latency", "100/8", "--final-pass", "full-context",
          "--vad", "--endpoint-no-text", "0.04",
        ], input: Array(repeatElement(noise(seconds: 10), count: 6 * minutes).joined()))
      expectSuccess(result)
      #expect(result.lines.count > 60 * minutes)
      return result.peakBytes
    }
    // Ten minutes of encoder frames, in and out, would be 21 MB, of samples 38 MB.
    let (short, long) = (try peak(minutes: 1), try peak(minutes: 11))
    #expect(long < short + 8_000_000, "\(short) bytes, \(long) bytes")
  }
}
