import Testing
import Wire

@Suite struct VoskTests {
  @Test func clientMessages() throws {
    let config = try VoskMessage(
      WebSocketMessage(
        #"{"config":{"sample_rate":16000.0,"words":1,"max_alternatives":2,"other":[],"#
          + #""phrase_list":["one","two"],"model":"en"}}"#))
    var expected = VoskConfig()
    #expect(expected.sampleRate == 8000)
    expected.sampleRate = 16_000
    expected.words = true
    expected.maxAlternatives = 2
    expected.phrases = ["one", "two"]
    expected.model = "en"
    #expect(config == .config(expected))
    #expect(try VoskMessage(WebSocketMessage(#"{"config":{}}"#)) == .config(VoskConfig()))
    for text in [#"{"eof" : 1}"#, #"{"eof":1}"#, #" { "eof": true }"#] {
      #expect(try VoskMessage(WebSocketMessage(text)) == .endOfAudio)
    }
    #expect(try VoskMessage(WebSocketMessage(#"{"reset" : 1}"#)) == .reset)
    #expect(try VoskMessage(.binary([1, 2])) == .audio([1, 2]))
  }

  @Test func oneReplyForEachPortion() throws {
    var config = VoskConfig()
    config.words = true
    var replies = VoskReplies(config)
    try expectJSON(replies.replyToAudio(), #"{"partial":""}"#)
    replies.take(Sample.partial)
    try expectJSON(replies.replyToAudio(), #"{"partial":"so \"it"}"#)
    replies.take(Sample.final)
    replies.take(Sample.said(2, "again"))
    replies.take(Sample.said(3, "a", committed: ""))
    try expectJSON(
      replies.replyToAudio(),
      #"{"result":[{"conf":1,"end":0.75,"start":0.5,"word":"hello"},"#
        + #"{"conf":0.5,"end":1.25,"start":1,"word":"wörld"}],"text":"hello wörld"}"#)
    try expectJSON(replies.replyToAudio(), #"{"text":"again"}"#)
    try expectJSON(replies.replyToAudio(), #"{"partial":"a"}"#)
    replies.take(Sample.said(3, "a"))
    replies.take(Sample.said(4, ""))
    replies.take(Sample.said(5, "b"))
    try expectJSON(replies.lastReply(), #"{"text":"a b"}"#)
    try expectJSON(replies.lastReply(), #"{"text":""}"#)
    try expectJSON(VoskReplies.error(WireError(.busy, "full")), #"{"error":"full"}"#)
  }

  @Test func alternatives() throws {
    var config = VoskConfig()
    config.maxAlternatives = 5
    var replies = VoskReplies(config)
    replies.take(Sample.ranked)
    try expectJSON(
      replies.lastReply(),
      #"{"alternatives":[{"confidence":-1.5,"text":"hello wörld"},"#
        + #"{"confidence":-2.25,"text":"hallo"}]}"#)
    try expectJSON(replies.lastReply(), #"{"alternatives":[{"confidence":0,"text":""}]}"#)
    config.words = true
    config.maxAlternatives = 1
    replies = VoskReplies(config)
    replies.take(Sample.ranked)
    try expectJSON(
      replies.replyToAudio(),
      #"{"alternatives":[{"confidence":-1.5,"result":[{"end":0.75,"start":0.5,"word":"hello"},"#
        + #"{"end":1.25,"start":1,"word":"wörld"}],"text":"hello wörld"}]}"#)
  }
}

@Suite struct WeNetTests {
  @Test func clientMessages() throws {
    var reader = WeNetReader()
    let start = WebSocketMessage(#"{"signal":"start","nbest":3,"continuous_decoding":true}"#)
    #expect(try reader.read(start) == .start(WeNetOptions(nBest: 3, continuousDecoding: true)))
    #expect(try reader.read(.binary([1, 2])) == .audio([1, 2]))
    #expect(try reader.read(WebSocketMessage(#"{"signal":"end"}"#)) == .end)
    reader = WeNetReader()
    #expect(
      try reader.read(WebSocketMessage(#"{"signal":"start"}"#)) == .start(WeNetOptions()))
  }

  @Test func events() throws {
    try expectJSON(WeNetEvent.serverReady.text, #"{"status":"ok","type":"server_ready"}"#)
    #expect(
      WeNetEvent.result(Sample.partial, nBest: 1).text
        == #"{"status": "ok", "type": "partial_result", "#
        + #""nbest": "[{\"sentence\": \"so \\\"it\"}]"}"#)
    #expect(
      WeNetEvent.result(Sample.ranked, nBest: 2).text
        == #"{"status": "ok", "type": "final_result", "nbest": "[{\"sentence\": "#
        + #"\"hello wörld\", \"word_pieces\": [{\"word\": \"hello\", \"start\": 500, "#
        + #"\"end\": 750}, {\"word\": \"wörld\", \"start\": 1000, \"end\": 1250}]}, "#
        + #"{\"sentence\": \"hallo\", \"word_pieces\": []}]"}"#)
    #expect(WeNetEvent.result(Sample.ranked, nBest: 1).text.contains("hallo") == false)
    try expectJSON(WeNetEvent.speechEnd.text, #"{"status":"ok","type":"speech_end"}"#)
    try expectJSON(
      WeNetEvent.failed(WireError(.busy, "full")).text, #"{"status":"failed","message":"full"}"#)
  }
}

@Suite struct SherpaTests {
  @Test func clientMessages() throws {
    let one: [UInt8] = [0, 0, 0x80, 0x3F, 0xFF, 0xFF, 0x7F, 0x7F]
    #expect(try SherpaMessage(.binary(one)) == .audio(one))
    #expect(try SherpaMessage(WebSocketMessage("Done")) == .done)
  }

  @Test func events() throws {
    try expectJSON(
      SherpaEvent.result(Sample.final, isLast: true).text(.native) ?? "",
      #"{"text":"hello wörld","tokens":[" hello"," wörld"],"timestamps":[0,0.5],"#
        + #""ys_probs":[0,-0.6931],"lm_probs":[],"context_scores":[],"segment":0,"words":[],"#
        + #""start_time":0.5,"is_final":true,"is_eof":true}"#)
    #expect(
      SherpaEvent.result(Sample.final, isLast: true).text(.python)
        == #"{"text": "hello wörld", "segment": 0}"#)
    #expect(SherpaEvent.done.text(.native) == "Done!")
    #expect(SherpaEvent.done.text(.python) == nil)
    #expect(SherpaEvent.error(WireError(.busy, "full")).text(.python) == #"{"error": "full"}"#)
  }
}

@Suite struct CommittedTextTests {
  @Test func onlyGrows() {
    var text = CommittedText()
    let said = [
      Sample.said(0, "hel", committed: ""), Sample.said(0, "hello wor", committed: "hello"),
      Sample.said(0, "hello word", committed: "hello"), Sample.said(0, "hello world"),
      Sample.said(1, ""), Sample.said(2, "it", committed: "it"), Sample.said(2, "it is"),
    ]
    let growth = said.map { text.growth(of: $0) }
    #expect(growth == [nil, "hello", nil, " world", nil, " it", " is"])
    #expect(text.text == "hello world it is")
  }

  @Test func takesNothingBack() {
    var text = CommittedText()
    #expect(text.growth(of: Sample.said(0, "a b c", committed: "a b")) == "a b")
    #expect(text.growth(of: Sample.said(0, "a", committed: "a")) == nil)
    #expect(text.growth(of: Sample.said(0, "x y z")) == " z")
    #expect(text.text == "a b z")
  }

  @Test func comparesScalars() {
    var text = CommittedText()
    #expect(text.growth(of: Sample.said(0, "e", committed: "e")) == "e")
    #expect(text.growth(of: Sample.said(0, "e\u{301}")) == "\u{301}")
  }
}
