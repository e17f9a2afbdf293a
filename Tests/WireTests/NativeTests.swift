import Decoding
import Testing
import Wire

@Suite struct NativeTests {
  private static let everything =
    #"{"protocol":"starling","version":1,"encoding":"f32le","sample_rate":48000,"channels":2,"#
    + #""framing":"length","latency":"320ms","final_pass":"rescore","partials":false,"#
    + #""partial_interval_ms":200,"stable":true,"n_best":3,"#
    + #""hot_words":[{"phrase":"Ada Lovelace","boost":2.5},{"phrase":"Zuse"}],"#
    + #""endpoint":{"silence":0.5,"no_text":"never","longest":10},"lm_weight":0.25,"#
    + #""resumable":true,"resume":"r1","next_utterance":4,"token":"secret"}"#

  private static func messages(
    _ parts: [[UInt8]], limits: NativeLimits = NativeLimits(), closes: Bool = true
  ) throws(WireError) -> [NativeMessage] {
    var reader = NativeReader(limits: limits)
    var messages: [NativeMessage] = []
    for part in parts {
      reader.append(part)
      while let message = try reader.next() { messages.append(message) }
    }
    if closes { reader.close() }
    while let message = try reader.next() { messages.append(message) }
    return messages
  }

  @Test func defaults() throws {
    let options = try NativeOptions(parsing: utf8(#"{"protocol":"starling"}"#))
    #expect(options == NativeOptions())
    #expect(options.sampleRate == 16_000 && options.partials && options.framing == .raw)
  }

  @Test func everyField() throws {
    let options = try NativeOptions(parsing: utf8(Self.everything))
    #expect(options.encoding == .f32le && options.sampleRate == 48_000 && options.channels == 2)
    #expect(options.framing == .length && options.latency == "320ms" && !options.partials)
    #expect(options.finalPass == "rescore" && options.partialInterval == 200 && options.isStable)
    #expect(options.nBest == 3 && options.languageModelWeight == 0.25)
    #expect(options.hotWords.map(\.phrase) == ["Ada Lovelace", "Zuse"])
    #expect(options.hotWords.map(\.boost) == [2.5, nil])
    #expect(
      options.endpoint == .init(silence: .seconds(0.5), noText: .never, longest: .seconds(10)))
    #expect(
      options.isResumable && options.resume == "r1" && options.nextUtterance == 4
        && options.token == "secret")
    #expect(try NativeOptions(parsing: utf8(options.line)) == options)
    try expectJSON(options.line, Self.everything)
  }

  @Test func rawAudioUntilTheEnd() throws {
    let line = utf8(#"{"protocol":"starling"}"# + "\r\n")
    let messages = try Self.messages([line + [1, 2, 3], [4, 10]])
    #expect(messages == [.open(NativeOptions()), .audio([1, 2, 3]), .audio([4, 10]), .end])
  }

  @Test func everySplitGivesTheSameMessages() throws {
    let portion = [UInt8](repeating: 10, count: 300)
    let bytes =
      utf8(#"{"protocol":"starling","framing":"length"}"# + "\n") + [2, 0, 0, 0, 7, 8]
      + [0x2C, 1, 0, 0] + portion + [0, 0, 0, 0]
    let whole = try Self.messages([bytes])
    #expect(whole.dropFirst() == [.audio([7, 8]), .audio(portion), .end])
    #expect(try Self.messages(bytes.map { [$0] }) == whole)
    var generator = SplitMix(state: 1)
    for _ in 0..<100 {
      #expect(try Self.messages(portions(bytes, using: &generator)) == whole)
    }
  }

  @Test func limitsHoldForEverySplit() {
    var limits = NativeLimits()
    limits.lineBytes = 42
    limits.portionBytes = 4
    let long = utf8(#"{"protocol":"starling","latency":"12800ms"}"# + "\n")
    let portion =
      utf8(#"{"protocol":"starling","framing":"length"}"#) + [10]
      + [5, 0, 0, 0]
    for parts in [[long], long.map { [$0] }, [portion], portion.map { [$0] }] {
      #expect(
        failure { () throws(WireError) in
          _ = try Self.messages(parts, limits: limits)
        }?.code == .tooLarge)
    }
  }

  @Test func anErrorIsThrownAgain() {
    var reader = NativeReader()
    reader.append(utf8("nonsense\n{}\n"))
    for _ in 0..<2 {
      #expect(failure { () throws(WireError) in _ = try reader.next() }?.code == .malformed)
    }
  }

  @Test func events() throws {
    var options = NativeOptions()
    options.token = "secret"
    options.latency = "640ms"
    let ready = NativeEvent.Ready(
      session: "s1", resumeToken: "r1", receivedBytes: 640, options: options)
    try expectJSON(
      NativeEvent.ready(ready).line,
      #"{"type":"ready","session":"s1","resume_token":"r1","received_bytes":640,"options":{"#
        + #""encoding":"s16le","sample_rate":16000,"channels":1,"framing":"raw","#
        + #""latency":"640ms","partials":true,"partial_interval_ms":0,"stable":false,"n_best":0,"#
        + #""hot_words":[],"endpoint":{},"resumable":false}}"#)
    #expect(
      NativeEvent.result(Sample.ranked).line
        == #"{"type": "final", "utterance": 0, "text": "hello wörld", "committed": "hello wörld", "#
        + #""start": 0.5, "end": 1.25, "words": [{"word": "hello", "start": 0.5, "end": 0.75, "#
        + #""confidence": 1}, {"word": "wörld", "start": 1, "end": 1.25, "confidence": 0.5}], "#
        + #""alternatives": [{"text": "hello wörld", "score": -1.5}, {"text": "hallo", "#
        + #""score": -2.25}]}"# + "\n")
    #expect(
      NativeEvent.result(Sample.partial).line
        == #"{"type": "partial", "utterance": 1, "text": "so \"it", "committed": "so", "#
        + #""start": 2, "end": 2.5, "words": []}"# + "\n")
    #expect(NativeEvent.end(seconds: 2.5).line == #"{"type": "end", "seconds": 2.5}"# + "\n")
    #expect(
      NativeEvent.error(WireError(.busy, "full", field: "token")).line
        == #"{"type": "error", "code": "busy", "message": "full", "field": "token"}"# + "\n")
  }
}
