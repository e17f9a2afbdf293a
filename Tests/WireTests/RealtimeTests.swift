import Testing
import Wire

@Suite struct RealtimeTests {
  private static let session = RealtimeSession(id: "sess_1", model: "m")

  private static func update(_ input: String) -> WebSocketMessage {
    WebSocketMessage(
      #"{"type":"session.update","session":{"type":"transcription","audio":{"input":\#(input)}}}"#)
  }

  @Test func updatesKeepWhatTheyDoNotName() throws {
    var reader = RealtimeReader(session: Self.session)
    var expected = Self.session
    expected.format = .mulaw
    expected.turnDetection = nil
    expected.language = "en"
    #expect(
      try reader.read(
        Self.update(
          #"{"format":{"type":"audio/pcmu"},"transcription":{"language":"en"},"#
            + #""turn_detection":null,"noise_reduction":{"type":"near_field"}}"#))
        == .update(expected))
    #expect(expected.format.sampleRate == 8000 && expected.format.encoding == .mulaw)
    expected.turnDetection = .init()
    expected.turnDetection?.silence = 200
    expected.model = "other"
    expected.prompt = "p"
    expected.keywords = ["Ada"]
    #expect(
      try reader.read(
        Self.update(
          #"{"transcription":{"model":"other","prompt":"p","keywords":["Ada"]},"#
            + #""turn_detection":{"type":"server_vad","silence_duration_ms":200}}"#))
        == .update(expected))
    expected.format = .pcm
    let pcm = Self.update(#"{"format":{"type":"audio/pcm","rate":24000}}"#)
    #expect(try reader.read(pcm) == .update(expected))
    #expect(reader.session == expected && expected.format.sampleRate == 24_000)
  }

  @Test func audio() throws {
    var reader = RealtimeReader(session: Self.session)
    let append = #"{"type":"input_audio_buffer.append","audio":"AQIDBA=="}"#
    #expect(try reader.read(WebSocketMessage(append)) == .append([1, 2, 3, 4]))
    for (type, message) in [("commit", RealtimeMessage.commit), ("clear", .clear)] {
      #expect(
        try reader.read(WebSocketMessage(#"{"type":"input_audio_buffer.\#(type)"}"#)) == message)
    }
  }

  @Test func aRefusedUpdateChangesNothing() {
    var reader = RealtimeReader(session: Self.session)
    let message = WebSocketMessage(
      #"{"type":"session.update","event_id":"e1","session":{"type":"transcription","audio":"#
        + #"{"input":{"format":{"type":"audio/pcma"},"turn_detection":{"type":"semantic_vad"}}}}}"#)
    do throws(RealtimeFailure) {
      _ = try reader.read(message)
      Issue.record("accepted")
    } catch {
      #expect(error.eventID == "e1")
      #expect(error.error.field == "session.audio.input.turn_detection.type")
    }
    #expect(reader.session == Self.session)
  }

  @Test func events() throws {
    let session =
      #"{"id":"sess_1","object":"realtime.transcription_session","type":"transcription","#
      + #""audio":{"input":{"format":{"type":"audio/pcm","rate":24000},"transcription":"#
      + #"{"model":"m"},"noise_reduction":null,"turn_detection":{"type":"server_vad","#
      + #""threshold":0.5,"prefix_padding_ms":300,"silence_duration_ms":500}}}}"#
    let item =
      #"{"id":"i","object":"realtime.item","type":"message","status":"completed","role":"user","#
      + #""content":[{"type":"input_audio","transcript":null}]}"#
    let text = "conversation.item.input_audio_transcription"
    let failure = RealtimeFailure(WireError(.malformed, "bad", field: "audio"), eventID: "c1")
    let cases: [(RealtimeEvent, String, String)] = [
      (.sessionCreated(Self.session, nil), "session.created", #""session":\#(session)"#),
      (
        .sessionCreated(Self.session, .init(token: "t", receivedBytes: 640)), "session.created",
        #""session":\#(session),"resume_token":"t","received_bytes":640"#
      ),
      (.sessionUpdated(Self.session), "session.updated", #""session":\#(session)"#),
      (
        .speechStarted(item: "i", milliseconds: 120), "input_audio_buffer.speech_started",
        #""audio_start_ms":120,"item_id":"i""#
      ),
      (
        .speechStopped(item: "i", milliseconds: 900), "input_audio_buffer.speech_stopped",
        #""audio_end_ms":900,"item_id":"i""#
      ),
      (
        .committed(item: "i", previous: nil), "input_audio_buffer.committed",
        #""previous_item_id":null,"item_id":"i""#
      ),
      (
        .item(.created, id: "i", previous: "h"), "conversation.item.created",
        #""previous_item_id":"h","item":\#(item)"#
      ),
      (
        .item(.added, id: "i", previous: nil), "conversation.item.added",
        #""previous_item_id":null,"item":\#(item)"#
      ),
      (
        .delta(item: "i", text: " a"), "\(text).delta",
        #""item_id":"i","content_index":0,"delta":" a""#
      ),
      (
        .completed(item: "i", text: "a", seconds: 1.5), "\(text).completed",
        #""item_id":"i","content_index":0,"transcript":"a","usage":{"type":"duration","#
          + #""seconds":1.5}"#
      ),
      (
        .failed(item: "i", WireError(.internalError, "x")), "\(text).failed",
        #""item_id":"i","content_index":0,"error":{"message":"x","type":"server_error","#
          + #""param":null,"code":"internal"}"#
      ),
      (
        .error(failure), "error",
        #""error":{"message":"bad","type":"invalid_request_error","param":"audio","#
          + #""code":"malformed","event_id":"c1"}"#
      ),
    ]
    for (event, type, members) in cases {
      try expectJSON(
        event.text(eventID: "e"), #"{"type":"\#(type)","event_id":"e",\#(members)}"#)
    }
    try expectJSON(
      RealtimeEvent.cleared.text(eventID: "e"),
      #"{"type":"input_audio_buffer.cleared","event_id":"e"}"#)
  }
}
