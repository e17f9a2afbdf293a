import Foundation
import TestSupport
import Testing

/// N-best lists and comparisons as a user asks for them.
@Suite struct AlternativeTests {
  private struct Listed: Decodable {
    struct Text: Decodable {
      var text: String
      var scores: [String: Double]?
      var words: [WordText]
    }
    struct WordText: Decodable { var word: String }
    struct Segment: Decodable {
      var text: String
      var alternatives: [Text]?
    }
    var type: String?
    var text: String
    var segments: [Segment]?
    var alternatives: [Text]?
  }

  private func decode(_ line: String) throws -> Listed {
    try JSONDecoder().decode(Listed.self, from: Data(line.utf8))
  }

  @Test(arguments: ["json", "jsonl"])
  func transcribeListsThem(format: String) throws {
    let file = Places.samples + "/landscape.flac"
    let arguments = ["transcribe", file, "--format", format, "--final-pass", "rescore"]
    let plain = try Starling.run(arguments)
    let result = try Starling.run(arguments + ["--n-best", "3"])
    expectSuccess(result)
    #expect(!plain.output.contains("alternatives"))
    let listed = try decode(result.output)
    #expect(try decode(plain.output).text == listed.text)
    let segments = try #require(listed.segments)
    #expect(!segments.isEmpty)
    for segment in segments {
      let alternatives = try #require(segment.alternatives)
      #expect((2...3).contains(alternatives.count))
      #expect(alternatives[0].text == segment.text)
      let keys = Set(try #require(alternatives[0].scores).keys)
      #expect(keys == ["total", "ctc", "attention", "reverse_attention", "tokens"])
    }
  }

  @Test func streamListsThemWithFinals() throws {
    let audio = try [UInt8](Data(contentsOf: URL(fileURLWithPath: Sample.telephone)))
    let result = try Starling.run(
      ["stream", "--format", "jsonl", "--n-best", "4"], input: audio)
    expectSuccess(result)
    let events = try result.lines.map(decode)
    for event in events {
      #expect((event.alternatives != nil) == (event.type == "final"))
      if let alternatives = event.alternatives {
        #expect(alternatives[0].text == event.text && alternatives.count > 1)
      }
    }
    #expect(events.contains { $0.type == "final" } && events.contains { $0.type == "partial" })
  }

  /// Post-processing reaches every text of the list.
  @Test func numbersAreFormattedInAlternativesToo() throws {
    let arguments = ["transcribe", Sample.chapter, "--format", "json", "--n-best", "3"]
    let words = try decode(Starling.run(arguments).output)
    let figures = try decode(Starling.run(arguments + ["--format-numbers"]).output)
    for (plain, formatted) in zip(words.segments ?? [], figures.segments ?? []) {
      #expect(formatted.alternatives?[0].text == formatted.text)
      #expect(plain.alternatives?.count == formatted.alternatives?.count)
    }
  }

  @Test func badValuesAreRefused() throws {
    let book = Sample.book
    for (option, value, saying) in [
      ("--n-best", "101", "0 to 100"), ("--n-best", "-1", "0 to 100"),
      ("--attention-weight", "nan", "0 to 100"), ("--attention-weight", "-0.1", "0 to 100"),
      ("--reverse-weight", "1.5", "0 to 1"), ("--joint-ctc-weight", "2", "0 to 1"),
      ("--length-bonus", "nan", "-20 to 20"), ("--joint-length-bonus", "inf", "-20 to 20"),
    ] {
      expectUsageError(
        try Starling.run(["transcribe", book, "\(option)=\(value)"]), saying: saying)
    }
    expectUsageError(
      try Starling.run(["compare", book, "--pass", "magic"]), saying: "magic")
    expectUsageError(
      try Starling.run(["compare", book, "--pass", "joint,beam=3"]), saying: "joint,beam=3")
    expectRefusal(try Starling.run(["compare", "/nowhere.wav"]), saying: "/nowhere.wav")
  }

  private struct Compared: Decodable {
    struct Pass: Decodable {
      var text: String
      var seconds: Double
    }
    var duration: Double
    var passes: [String: Pass]
  }

  /// Each pass of a comparison says what `transcribe` says with it.
  @Test func comparesWhatTranscribeSays() throws {
    let file = Sample.telephone
    let result = try Starling.run([
      "compare", "--latency", "640ms", file, "--pass", "greedy", "--pass", "beam", "--pass",
      "rescore", "--pass", "joint,joint-ctc-weight=0.9", "--pass", "full-context",
    ])
    expectSuccess(result)
    let compared = try JSONDecoder().decode(Compared.self, from: Data(result.output.utf8))
    let options: [String: [String]] = [
      "greedy": [], "beam": ["--beam", "8"], "rescore": ["--final-pass", "rescore"],
      "joint,joint-ctc-weight=0.9": ["--final-pass", "joint", "--joint-ctc-weight", "0.9"],
      "full-context": ["--final-pass", "full-context"],
    ]
    #expect(Set(compared.passes.keys) == Set(options.keys))
    for (name, arguments) in options {
      let alone = try Starling.run(["transcribe", "--latency", "640ms", file] + arguments)
      #expect(compared.passes[name]?.text == alone.output.trimmingCharacters(in: .newlines))
      #expect(compared.passes[name]?.seconds ?? -1 >= 0)
    }
  }
}
