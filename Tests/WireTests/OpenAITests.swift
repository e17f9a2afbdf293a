import Testing
import Wire

@Suite struct MultipartTests {
  static let contentType = "multipart/form-data; boundary=\"x y\""

  /// A form of fields, then a file of bytes that look like boundaries.
  static func form(
    _ fields: [(String, String)], file: [UInt8]? = [1, 2], boundary: String = "x y"
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    for (name, value) in fields {
      bytes += utf8(
        "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(name)\"\r\n\r\n\(value)\r\n")
    }
    if let file {
      bytes += utf8(
        "--\(boundary)\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\\\"b;.wav\""
          + "\r\nContent-Type: audio/wav; x=y\r\n\r\n")
      bytes += file + [13, 10]
    }
    return bytes + utf8("--\(boundary)--\r\n")
  }

  /// Events, the portions of a content put together.
  private static func events(_ parts: [[UInt8]]) throws(WireError) -> [MultipartReader.Event] {
    var reader = try MultipartReader(contentType: contentType)
    var events: [MultipartReader.Event] = []
    func take() throws(WireError) {
      while let event = try reader.next() {
        if case .content(let new) = event, case .content(let old) = events.last {
          events[events.count - 1] = .content(old + new)
        } else {
          events.append(event)
        }
      }
    }
    for part in parts {
      reader.append(part)
      try take()
    }
    reader.close()
    try take()
    return events
  }

  @Test func everySplitGivesTheSameParts() throws {
    let file = utf8("\r\n--x \r\n--x\r\r\n-") + [0, 255, 13]
    let bytes = utf8("to be skipped\r\n") + Self.form([("a", ""), ("b", "2")], file: file)
    let whole = try Self.events([bytes])
    guard whole.count == 9, case .part(let part) = whole[5] else {
      Issue.record("\(whole)")
      return
    }
    #expect(part.name == "file" && part.fileName == "a\"b;.wav" && part.contentType == "audio/wav")
    #expect(whole[1] == .partEnd && whole[3] == .content(utf8("2")))
    #expect(whole[6...] == [.content(file), .partEnd, .end])
    #expect(try Self.events(bytes.map { [$0] }) == whole)
    var generator = SplitMix(state: 3)
    for _ in 0..<100 { #expect(try Self.events(portions(bytes, using: &generator)) == whole) }
  }
}

@Suite struct TranscriptionTests {
  static func upload(
    _ bytes: [UInt8], limits: TranscriptionUpload.Limits = .init(), portion: Int = 7
  ) throws(WireError) -> (file: [UInt8], request: TranscriptionRequest?) {
    var upload = try TranscriptionUpload(contentType: MultipartTests.contentType, limits: limits)
    var file: [UInt8] = []
    var request: TranscriptionRequest?
    func take() throws(WireError) {
      while let event = try upload.next() {
        switch event {
        case .file(let bytes): file += bytes
        case .request(let asked): request = asked
        }
      }
    }
    var rest = bytes[...]
    while !rest.isEmpty {
      upload.append(Array(rest.prefix(portion)))
      rest = rest.dropFirst(portion)
      try take()
    }
    upload.close()
    try take()
    return (file, request)
  }

  @Test func requests() throws {
    let (file, plain) = try Self.upload(MultipartTests.form([("model", "m")]))
    var expected = TranscriptionRequest(model: "m")
    expected.fileName = "a\"b;.wav"
    #expect(file == [1, 2] && plain == expected)
    let (_, full) = try Self.upload(
      MultipartTests.form([
        ("model", "m"), ("language", "en"), ("prompt", "p"), ("response_format", "verbose_json"),
        ("temperature", "0.5"), ("timestamp_granularities[]", "word"),
        ("timestamp_granularities[]", "segment"), ("stream", "False"), ("keywords[]", "Ada"),
        ("vad_filter", "1"), ("chunking_strategy", "auto"),
      ]))
    expected.language = "en"
    expected.prompt = "p"
    expected.format = .verboseJSON
    expected.temperature = 0.5
    expected.granularities = [.word, .segment]
    expected.keywords = ["Ada"]
    #expect(full == expected)
    let (_, streamed) = try Self.upload(
      MultipartTests.form([("model", "m"), ("stream", "true"), ("include[]", "logprobs")]))
    #expect(streamed?.streams == true && streamed?.wantsLogProbs == true)
  }

  private static let response = TranscriptionResponse(
    utterances: [Sample.final, Sample.said(1, "")], duration: 2.5, language: "english")

  private func body(_ change: (inout TranscriptionRequest) -> Void) -> String {
    var request = TranscriptionRequest(model: "m")
    change(&request)
    return Self.response.body(for: request)
  }

  @Test func jsonBodies() throws {
    try expectJSON(
      body { _ in }, #"{"text":"hello wörld","usage":{"type":"duration","seconds":2.5}}"#)
    try expectJSON(
      body { $0.wantsLogProbs = true },
      #"{"text":"hello wörld","logprobs":[{"token":"hello","bytes":[104,101,108,108,111],"#
        + #""logprob":0},{"token":" wörld","bytes":[32,119,195,182,114,108,100],"#
        + #""logprob":-0.6931}],"usage":{"type":"duration","seconds":2.5}}"#)
    let head = #""task":"transcribe","language":"english","duration":2.5,"text":"hello wörld","#
    let segments =
      #""segments":[{"id":0,"seek":0,"start":0.5,"end":1.25,"text":"hello wörld","tokens":[],"#
      + #""temperature":0,"avg_logprob":-0.3466,"compression_ratio":1,"no_speech_prob":0}],"#
    let words =
      #""words":[{"word":"hello","start":0.5,"end":0.75},{"word":"wörld","start":1,"end":1.25}],"#
    let usage = #""usage":{"type":"duration","seconds":2.5}"#
    try expectJSON(body { $0.format = .verboseJSON }, "{\(head)\(segments)\(usage)}")
    try expectJSON(
      body {
        $0.format = .verboseJSON
        $0.granularities = [.word]
      }, "{\(head)\(words)\(usage)}")
  }

  @Test func textBodies() {
    #expect(body { $0.format = .text } == "hello wörld\n")
    #expect(
      body { $0.format = .srt } == "1\n00:00:00,500 --> 00:00:01,500\nhello wörld\n")
    #expect(
      body { $0.format = .vtt } == "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nhello wörld\n")
    #expect(TranscriptionResponse.contentType(.json) == "application/json")
    #expect(TranscriptionResponse.contentType(.vtt) == "text/vtt; charset=utf-8")
    #expect(TranscriptionResponse.contentType(.srt) == "text/plain; charset=utf-8")
  }

  @Test func events() {
    #expect(
      TranscriptionStreamEvent.delta(" a\n").text
        == #"data: {"type": "transcript.text.delta", "delta": " a\n"}"# + "\n\n")
    #expect(
      TranscriptionStreamEvent.done("a").text
        == #"data: {"type": "transcript.text.done", "text": "a"}"# + "\n\n")
    #expect(TranscriptionStreamEvent.end.text == "data: [DONE]\n\n")
    #expect(
      TranscriptionStreamEvent.error(WireError(.busy, "full")).text
        == #"data: {"error": {"message": "full", "type": "server_error", "param": null, "#
        + #""code": "busy"}}"# + "\n\n")
  }

  @Test func modelsAndErrors() throws {
    try expectJSON(
      OpenAIModel.list([OpenAIModel(id: "m", created: 7)]),
      #"{"object":"list","data":[{"id":"m","object":"model","created":7,"owned_by":"starling"}]}"#)
    try expectJSON(
      OpenAIModel(id: "m").json,
      #"{"id":"m","object":"model","created":0,"owned_by":"starling"}"#)
    let error = WireError(.invalidValue, "no", field: "stream")
    try expectJSON(
      error.openAIBody,
      #"{"error":{"message":"no","type":"invalid_request_error","param":"stream","#
        + #""code":"invalid_value"}}"#)
    #expect(error.httpStatus == 400)
    #expect(WireError(.unauthorized, "").httpStatus == 401)
    #expect(WireError(.unauthorized, "").openAIBody.contains("authentication_error"))
    #expect(WireError.Code.allCases.allSatisfy { WireError($0, "").httpStatus >= 400 })
  }
}
