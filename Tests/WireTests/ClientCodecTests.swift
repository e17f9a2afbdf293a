import Testing
import Wire

@Suite struct ClientCodecTests {
  /// Samples of 1, 2.
  private static let audio: [UInt8] = [1, 0, 2, 0]

  private static func codec(
    _ spoken: ClientProtocol, hotWords: [String] = []
  ) -> any ClientCodec {
    var options = ClientOptions()
    options.hotWords = hotWords
    return spoken.makeCodec(options)
  }

  /// What a codec makes of texts that a server sends.
  private static func events(
    _ codec: inout any ClientCodec, _ texts: [String]
  ) throws -> [ClientEvent] {
    try texts.flatMap { try codec.receive(WebSocketMessage($0)) }
  }

  private static func result(
    _ utterance: Int, _ text: String, isFinal: Bool = true, end: Double? = nil
  ) -> ClientEvent {
    .result(ClientResult(utterance: utterance, isFinal: isFinal, text: text, end: end))
  }

  /// The bytes of messages over plain TCP.
  private static func bytes(_ messages: [WebSocketMessage]) -> [UInt8] {
    messages.flatMap { message in
      switch message {
      case .text(let bytes), .binary(let bytes): bytes
      }
    }
  }

  @Test func nativeTalksToItsServer() throws {
    var options = ClientOptions()
    options.latency = "320ms"
    options.finalPass = "rescore"
    options.hotWords = ["Ada"]
    options.token = "secret"
    var codec = ClientProtocol.native.makeCodec(options)
    #expect(codec.awaitsReady)
    var reader = NativeReader()
    reader.append(
      Self.bytes(codec.opening() + [codec.message(of: Self.audio)] + codec.endOfAudio()))
    guard case .open(let opened) = try reader.next() else {
      Issue.record("no opening line")
      return
    }
    #expect(opened.latency == "320ms" && opened.finalPass == "rescore" && opened.token == "secret")
    #expect(opened.hotWords.map(\.phrase) == ["Ada"])
    #expect(opened.encoding == .s16le && opened.sampleRate == 16_000 && opened.framing == .length)
    #expect(try reader.next() == .audio(Self.audio))
    #expect(try reader.next() == .end)
  }

  @Test func nativeReadsItsServerInAnyPortions() throws {
    let lines =
      [
        NativeEvent.ready(.init(session: "s", options: NativeOptions())), .result(Sample.partial),
        .result(Sample.final), .end(seconds: 3), .error(WireError(.busy, "full")),
      ].map(\.line).joined() + #"{"type": "news", "more": [1]}"# + "\n"
    var generator = SplitMix(state: 1)
    for _ in 0..<20 {
      var codec = Self.codec(.native)
      let events = try portions(utf8(lines), using: &generator).flatMap {
        try codec.receive(.binary($0))
      }
      #expect(
        events == [
          .ready, Self.result(1, "so \"it", isFinal: false, end: 2.5),
          Self.result(0, "hello wörld", end: 1.25), .end, .failed(WireError(.busy, "full")),
        ])
    }
  }

  /// A close while audio is still sent is the server's end, whatever it has left unanswered; one
  /// instead of the last reply is a loss.
  @Test func voskServersThatGo() {
    var codec = Self.codec(.vosk)
    _ = codec.message(of: [0, 0])
    #expect(codec.receiveClose() == [.end])
    _ = codec.endOfAudio()
    #expect(codec.receiveClose() == [])
  }

  @Test func voskCountsReplies() throws {
    var codec = Self.codec(.vosk, hotWords: ["Ada"])
    var config = VoskConfig()
    config.sampleRate = 16_000
    config.phrases = ["Ada"]
    #expect(!codec.awaitsReady)
    #expect(try codec.opening().map { try VoskMessage($0) } == [.config(config)])
    for _ in 0..<4 { #expect(codec.message(of: Self.audio) == .binary(Self.audio)) }
    #expect(codec.endOfAudio() == [WebSocketMessage(#"{"eof" : 1}"#)])
    let replies = [
      #"{"partial": ""}"#, #"{"partial": "a b"}"#, #"{"partial": "a b"}"#, #"{"text": "a b c"}"#,
      #"{"text": "d"}"#,
    ]
    #expect(
      try Self.events(&codec, replies) == [
        Self.result(0, "a b", isFinal: false), Self.result(0, "a b c"), Self.result(1, "d"), .end,
      ])
    #expect(
      try Self.events(&codec, [VoskReplies.error(WireError(.busy, "full"))])
        == [.failed(WireError(.internalError, "full"))])
  }

  @Test func wenetWaitsForTheServer() throws {
    var codec = Self.codec(.wenet)
    var reader = WeNetReader()
    #expect(codec.awaitsReady)
    let sent = codec.opening() + [codec.message(of: Self.audio)] + codec.endOfAudio()
    #expect(
      try sent.map { try reader.read($0) }
        == [.start(WeNetOptions(nBest: 1, continuousDecoding: true)), .audio(Self.audio), .end])
    let said: [WeNetEvent] = [
      .serverReady, .result(Sample.said(0, "hel", committed: ""), nBest: 1),
      .result(Sample.final, nBest: 1), .result(Sample.partial, nBest: 1), .speechEnd,
      .failed(WireError(.busy, "full")),
    ]
    #expect(
      try Self.events(&codec, said.map(\.text)) == [
        .ready, Self.result(0, "hel", isFinal: false), Self.result(0, "hello wörld"),
        Self.result(1, "so \"it", isFinal: false), .end,
        .failed(WireError(.internalError, "full")),
      ])
  }

  @Test func sherpaSettlesWhatTheServerLeavesOpen() throws {
    let said = [
      Sample.said(0, "a", committed: ""), Sample.said(0, "a b"), Sample.said(1, "c", committed: ""),
    ]
    for variant in SherpaVariant.allCases {
      var codec = Self.codec(variant == .native ? .sherpa : .sherpaPython)
      #expect(try codec.endOfAudio().map { try SherpaMessage($0) } == [.done])
      var events = try Self.events(
        &codec, said.compactMap { SherpaEvent.result($0, isLast: false).text(variant) })
      let done = SherpaEvent.done.text(variant)
      if let done {
        events += try Self.events(&codec, [done])
      } else {
        events += codec.receiveClose()
      }
      let finals = [Self.result(0, "a b"), Self.result(1, "c"), .end]
      #expect(
        events.filter { event in
          if case .result(let result) = event { result.isFinal } else { true }
        } == finals)
      #expect(events.first == Self.result(0, "a", isFinal: false))
    }
    var native = Self.codec(.sherpa)
    #expect(native.receiveClose() == [])
  }

  @Test func wyomingWithAndWithoutStreaming() throws {
    var codec = Self.codec(.wyoming, hotWords: ["Ada"])
    var reader = WyomingReader()
    reader.append(
      Self.bytes(codec.opening() + [codec.message(of: Self.audio)] + codec.endOfAudio()))
    var messages: [WyomingMessage] = []
    while let frame = try reader.next() { try WyomingMessage(frame).map { messages.append($0) } }
    var request = WyomingTranscribe()
    request.hotWords = [.init("Ada", place: "transcript_terms[0]")]
    let format = WyomingAudioFormat(rate: 16_000, width: 2, channels: 1)
    #expect(
      messages == [
        .transcribe(request), .audioStart(format), .audioChunk(format, Self.audio), .audioStop,
      ])
    let transcript = WyomingEvent.transcript(text: "a b.", language: nil, context: nil)
    let streamed: [WyomingEvent] = [
      .transcriptStart(language: "en"), .transcriptChunk(text: "a"), .transcriptChunk(text: " b"),
      transcript, .transcriptStop, .error(WireError(.busy, "full")),
    ]
    #expect(
      try codec.receive(.binary(streamed.flatMap(\.bytes))) == [
        Self.result(0, "a", isFinal: false), Self.result(0, "a b", isFinal: false),
        Self.result(0, "a b."), .end, .failed(WireError(.busy, "full")),
      ])
    codec = Self.codec(.wyoming)
    #expect(try codec.receive(.binary(transcript.bytes)) == [Self.result(0, "a b."), .end])
  }

  @Test func realtimeTalksToItsServer() throws {
    var codec = Self.codec(.realtime, hotWords: ["Ada"])
    var reader = RealtimeReader(session: RealtimeSession(id: "s"))
    var session = RealtimeSession(id: "s")
    session.turnDetection = nil
    session.keywords = ["Ada"]
    let sent = codec.opening() + [codec.message(of: Self.audio)] + codec.endOfAudio()
    #expect(
      try sent.map { try reader.read($0) } == [.update(session), .append(Self.audio), .commit])
    let said: [RealtimeEvent] = [
      .sessionCreated(session, nil), .sessionUpdated(session), .delta(item: "i", text: "a"),
      .committed(item: "i", previous: nil), .item(.added, id: "i", previous: nil),
      .delta(item: "i", text: " b"), .completed(item: "i", text: "a b c", seconds: 1),
      .error(RealtimeFailure(WireError(.busy, "full"))),
      .failed(item: "i", WireError(.timeout, "t")),
    ]
    #expect(
      try Self.events(&codec, said.map { $0.text(eventID: "e") }) == [
        .ready, Self.result(0, "a", isFinal: false), Self.result(0, "a b", isFinal: false),
        Self.result(0, "a b c"), .end, .failed(WireError(.busy, "full")),
        .failed(WireError(.timeout, "t")),
      ])
  }

  @Test func realtimeEndsWithTheLastOfSeveralItems() throws {
    var codec = Self.codec(.realtime)
    let completed = { RealtimeEvent.completed(item: $0, text: $0, seconds: 1).text(eventID: "e") }
    let committed = { RealtimeEvent.committed(item: $0, previous: nil).text(eventID: "e") }
    #expect(try Self.events(&codec, [committed("a"), completed("a")]) == [Self.result(0, "a")])
    _ = codec.endOfAudio()
    #expect(
      try Self.events(&codec, [committed("b"), committed("c"), completed("b"), completed("c")])
        == [Self.result(1, "b"), Self.result(2, "c"), .end])
  }

  @Test func strangeAnswersAreErrors() {
    for spoken in ClientProtocol.allCases {
      for text in [
        "HTTP/1.1 400 Bad Request\r\n", "{}\n", "[1]\n", #"{"type": 7, "segment": "x"}"# + "\n",
      ] {
        var codec = Self.codec(spoken)
        #expect(throws: WireError.self, "\(spoken): \(text)") {
          try codec.receive(WebSocketMessage(text))
        }
      }
    }
  }

  @Test func onlyNativeCarriesAll() {
    for name in ClientOptions.Name.allCases { #expect(ClientProtocol.native.carries(name)) }
    #expect(!ClientProtocol.wenet.carries(.hotWords) && !ClientProtocol.wyoming.carries(.token))
    #expect(ClientOptions().named.isEmpty)
  }

  @Test func samplesAsBytes() {
    let short = ClientProtocol.native.audioFormat
    #expect(short.bytes(of: [0, 0.5, -1, 1, 2, -2]).count == 12)
    #expect(
      short.bytes(of: [0.5, -1, 1, -2]) == [0, 0x40, 0, 0x80, 0xFF, 0x7F, 0, 0x80])
    #expect(ClientProtocol.sherpa.audioFormat.bytes(of: [1]) == [0, 0, 0x80, 0x3F])
    #expect(ClientProtocol.realtime.audioFormat.bytesPerSecond == 48_000)
  }
}
