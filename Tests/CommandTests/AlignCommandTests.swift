import Foundation
import TestSupport
import Testing

@Suite struct AlignCommandTests {
  private let folder = TemporaryFolder()
  private let text = """
    Imitates a much freer hand, simpler, rounder
    and less spiky \u{2014} and therefore far pleasanter

    and easier to read.

    """

  private func align(_ format: String) throws -> String {
    let file = try folder.write("text.txt", text.utf8)
    let result = try Starling.run(["align", Sample.book, file, "--format", format])
    expectSuccess(result)
    return result.output
  }

  @Test func ctm() throws {
    let lines = try align("ctm").split(separator: "\n").map { $0.split(separator: " ") }
    let words = text.split(whereSeparator: \.isWhitespace).filter { $0 != "\u{2014}" }
    #expect(lines.map { $0[4] } == words)
    var time = 0.0
    for line in lines {
      let start = try #require(Double(line[2]))
      let duration = try #require(Double(line[3]))
      #expect(start > time - 1e-6 && duration > 0)
      time = start + duration
    }
    #expect(time <= 8.867)
  }

  @Test func jsonHasASegmentALine() throws {
    let object = try parseJSON(align("json"))
    let segments = try #require(object["segments"] as? [[String: Any]])
    #expect(
      segments.map { $0["text"] as? String } == [
        "Imitates a much freer hand, simpler, rounder",
        "and less spiky and therefore far pleasanter", "and easier to read.",
      ])
  }

  @Test func srtAndTextGrid() throws {
    #expect(try align("srt").contains("and easier to read.\n"))
    let grid = try align("textgrid")
    #expect(grid.hasPrefix("File type = \"ooTextFile\"\nObject class = \"TextGrid\"\n"))
    for part in ["name = \"words\"", "name = \"tokens\"", "text = \"pleasanter\""] {
      #expect(grid.contains(part))
    }
  }

  @Test func outputFileAndGivenText() throws {
    let path = folder.path + "/new/out.ctm"
    let result = try Starling.run(
      ["align", Sample.book, "--text", "easier to read", "--output", path])
    expectSuccess(result)
    #expect(result.output == "")
    #expect(try folder.text("new/out.ctm").split(separator: "\n").count == 3)
  }

  @Test func refusals() throws {
    let file = try folder.write("odd.txt", "it was\n\nin 1984".utf8)
    expectRefusal(
      try Starling.run(["align", Sample.book, file]), saying: "odd.txt", "line 3", "'1984'")
    expectRefusal(
      try Starling.run(["align", Sample.book, "--text", "— !"]), saying: "--text", "no words")
    let bytes = try folder.write("bytes.txt", [0xFF, 0xFE])
    expectRefusal(try Starling.run(["align", Sample.book, bytes]), saying: "UTF-8")
    expectRefusal(
      try Starling.run(["align", Sample.book, folder.path + "/none.txt"]), saying: "none.txt")
    expectRefusal(
      try Starling.run(["align", folder.path + "/none.wav", "--text", "a"]), saying: "none.wav")
    let long = Array(repeating: "imitates", count: 300).joined(separator: " ")
    expectRefusal(
      try Starling.run(["align", Sample.book, "--text", long]), saying: "too short", "book")
    expectUsageError(try Starling.run(["align", Sample.book]), saying: "--text")
    expectUsageError(
      try Starling.run(["align", Sample.book, file, "--text", "a"]), saying: "one of the two")
  }
}

@Suite struct LensCommandTests {
  @Test func lastLayerIsTheTranscript() throws {
    let text = try Starling.run(["transcribe", Sample.book])
    let lens = try Starling.run(["lens", Sample.book])
    expectSuccess(lens)
    #expect(lens.lines.map { $0.split(separator: "\t")[0] } == (1...16).map { "\($0)" })
    #expect(lens.lines.last == "16\t" + text.output.dropLast())
    let one = try Starling.run(["lens", Sample.book, "--layer", "16", "--format", "json"])
    expectSuccess(one)
    let layers = try parseJSON(one.output)["layers"] as? [[String: Any]]
    #expect(layers?.map { $0["text"] as? String } == [String(text.output.dropLast())])
    expectRefusal(try Starling.run(["lens", Sample.book, "--layer", "17"]), saying: "1 to 16")
  }

  @Test func throughTheDecoder() throws {
    func lens(_ arguments: String...) throws -> Starling.Result {
      try Starling.run(["lens", Sample.book, "--latency", "640ms", "--through"] + arguments)
    }
    let draft = try Starling.run(
      ["transcribe", Sample.book, "--latency", "640ms", "--final-pass", "draft"])
    let decoder = try lens("decoder")
    expectSuccess(decoder)
    #expect(decoder.lines.count == 16)
    #expect(decoder.lines.last == "16\t" + draft.output.dropLast())
    let layers = try lens("decoder-layers")
    expectSuccess(layers)
    #expect(layers.lines.map { $0.prefix(2) } == ["1\t", "2\t", "3\t"])
    let json = try parseJSON(try lens("decoder-layers", "--layer", "2", "--format", "json").output)
    #expect(json["through"] as? String == "decoder-layers")
    let one = try #require((json["layers"] as? [[String: Any]])?.first)
    #expect(one["layer"] as? Int == 2)
    #expect(layers.lines[1] == "2\t" + (one["text"] as? String ?? ""))
    expectRefusal(
      try lens("decoder-layers", "--layer", "4"), saying: "1 to 3, the layers of the decoder")
    expectUsageError(try lens("magic"), saying: "magic")

    let folder = TemporaryFolder()
    let model = try ModelFolder(folder)
    try model.keepOneLayer()
    expectSuccess(try Starling.run(["lens", Sample.book, "--model", model.path]))
    expectRefusal(
      try lens("decoder", "--model", model.path), saying: "has no attention decoder")
  }
}

@Suite struct FormatNumbersTests {
  @Test func numbersInFiguresOnRequest() throws {
    let pcm = try Sample.pcm16(Sample.chapter, seconds: 20)
    let wav = WAV(data: pcm).bytes
    let transcribed = try Starling.run(["transcribe", "-", "--latency", "640ms"], input: wav)
    #expect(transcribed.output.contains(" twenty five minutes to three quarters "))
    let written = transcribed.output.replacing("twenty five", with: "25")
    let formatted = try Starling.run(
      ["transcribe", "-", "--latency", "640ms", "--format-numbers"], input: wav)
    expectSuccess(formatted)
    #expect(formatted.output == written)
    let streamed = try Starling.run(["stream", "--format-numbers"], input: pcm)
    expectSuccess(streamed)
    #expect(streamed.lines.joined(separator: " ") == written.dropLast())
    // Partial results stay as spoken.
    let events = try Starling.run(
      ["stream", "--format-numbers", "--format", "jsonl"], input: pcm)
    let partials = events.lines.filter { $0.contains(#""type": "partial""#) }
    #expect(partials.contains { $0.contains("twenty five") })
    #expect(!partials.contains { $0.contains(" 25 ") })
    #expect(events.lines.contains { $0.contains(#"{"word": "25", "#) })
  }
}
