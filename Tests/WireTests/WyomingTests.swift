import Testing
import Wire

@Suite struct WyomingTests {
  private static func frames(_ parts: [[UInt8]]) throws(WireError) -> [WyomingFrame] {
    var reader = WyomingReader()
    var frames: [WyomingFrame] = []
    for part in parts {
      reader.append(part)
      while let frame = try reader.next() { frames.append(frame) }
    }
    reader.close()
    while let frame = try reader.next() { frames.append(frame) }
    return frames
  }

  private static func message(_ text: String, _ payload: [UInt8] = []) throws -> WyomingMessage? {
    let frame = try #require(try frames([utf8(text) + payload]).first)
    return try WyomingMessage(frame)
  }

  /// What `wyoming` 1.10.2 writes for a chunk, then data both in the line and behind it.
  private static let stream =
    utf8(#"{"type": "audio-chunk", "version": "1.10.2", "data_length": 61, "payload_length": 4}"#)
    + [10]
    + utf8(#"{"rate": 16000, "width": 2, "channels": 1, "timestamp": null}"#) + [10, 13, 123, 0]
    + utf8(#"{"type":"transcribe","data":{"name":"a","language":"de"},"data_length":17}"# + "\n")
    + utf8(#"{"language":"en"}"#) + utf8(#"{"type":"describe"}"# + "\r\n")

  @Test func everySplitGivesTheSameFrames() throws {
    let whole = try Self.frames([Self.stream])
    #expect(whole.map(\.type) == ["audio-chunk", "transcribe", "describe"])
    let format = WyomingAudioFormat(rate: 16_000, width: 2, channels: 1)
    #expect(try WyomingMessage(whole[0]) == .audioChunk(format, [10, 13, 123, 0]))
    #expect(whole[1].data == ["name": .string("a"), "language": .string("en")])
    #expect(try Self.frames(Self.stream.map { [$0] }) == whole)
    var generator = SplitMix(state: 2)
    for _ in 0..<100 {
      #expect(try Self.frames(portions(Self.stream, using: &generator)) == whole)
    }
    for frame in whole { #expect(try Self.frames([frame.bytes]) == [frame]) }
  }

  @Test func clientMessages() throws {
    #expect(try Self.message("{\"type\":\"describe\",\"data\":{}}\n") == .describe)
    #expect(
      try Self.message("{\"type\":\"ping\",\"data\":{\"text\":\"x\"}}\n") == .ping(text: "x"))
    #expect(
      try Self.message("{\"type\":\"select-program\",\"data\":{\"name\":\"x\"}}\n")
        == .selectProgram(name: "x"))
    #expect(
      try Self.message(
        #"{"type":"audio-start","data":{"rate":8000,"width":4,"channels":2,"timestamp":0}}"# + "\n")
        == .audioStart(WyomingAudioFormat(rate: 8000, width: 4, channels: 2)))
    #expect(
      try Self.message("{\"type\":\"audio-stop\",\"data\":{\"timestamp\":5}}\n") == .audioStop)
    #expect(try Self.message("{\"type\":\"detection\",\"data\":{\"rate\":\"x\"}}\n") == nil)
    let transcribe = try Self.message(
      #"{"type":"transcribe","data":{"name":"m","language":"en","vad_sensitivity":"relaxed","#
        + #""context":{"id":[1]},"transcript_names":["Ada"],"transcript_terms":["lamp"]}}"# + "\n")
    guard case .transcribe(let asked) = transcribe else {
      Issue.record("no transcribe")
      return
    }
    #expect(asked.name == "m" && asked.language == "en" && asked.vadSensitivity == "relaxed")
    #expect(asked.context == ["id": .array([.number(1)])])
    #expect(asked.hotWords.map(\.phrase) == ["Ada", "lamp"])
  }

  @Test func events() throws {
    let cases: [(WyomingEvent, String, String)] = [
      (.transcriptStart(language: "en"), "transcript-start", #"{"language":"en"}"#),
      (.transcriptStart(language: nil), "transcript-start", "{}"),
      (.transcriptChunk(text: " ö"), "transcript-chunk", #"{"text":" ö"}"#),
      (
        .transcript(text: "hi", language: "en", context: ["a": .bool(true)]), "transcript",
        #"{"text":"hi","language":"en","context":{"a":true}}"#
      ),
      (.transcript(text: "", language: nil, context: nil), "transcript", #"{"text":""}"#),
      (.transcriptStop, "transcript-stop", "{}"),
      (.pong(text: "x"), "pong", #"{"text":"x"}"#),
      (.error(WireError(.busy, "full")), "error", #"{"text":"full","code":"busy"}"#),
    ]
    for (event, type, data) in cases {
      let frame = try #require(try Self.frames([event.bytes]).first)
      #expect(frame.type == type)
      let expected = try JSONValue(parsing: utf8(data))
      #expect(JSONValue.object(frame.data) == expected)
    }
    #expect(
      String(decoding: WyomingEvent.transcriptChunk(text: "a").bytes, as: UTF8.self)
        == #"{"type": "transcript-chunk", "data_length": 13}"# + "\n" + #"{"text": "a"}"#)
  }

  @Test func info() throws {
    func artifact(_ name: String) -> WyomingInfo.Artifact {
      .init(name: name, description: "d", version: "1", author: "a", url: "u")
    }
    let info = WyomingInfo(
      program: artifact("starling"), models: [.init(artifact("m"), languages: ["en"])])
    let frame = try #require(try Self.frames([WyomingEvent.info(info).bytes]).first)
    let common =
      #""attribution":{"name":"a","url":"u"},"installed":true,"description":"d","version":"1""#
    let expected = try JSONValue(
      parsing: utf8(
        #"{"asr":[{"name":"starling",\#(common),"models":[{"name":"m",\#(common),"#
          + #""languages":["en"]}],"supports_transcript_streaming":true,"#
          + #""requires_external_vad":false}]}"#))
    #expect(JSONValue.object(frame.data) == expected)
  }
}
