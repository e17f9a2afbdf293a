import Testing
import Wire

@Suite struct MalformedTests {
  /// Hands a whole session of bytes, or one message, to the reader of a protocol.
  private static func read(
    _ reader: MalformedCase.Reader, _ bytes: [UInt8], isBinary: Bool
  ) throws(WireError) {
    let message: WebSocketMessage = isBinary ? .binary(bytes) : .text(bytes)
    switch reader {
    case .native:
      var reader = NativeReader()
      reader.append(bytes)
      reader.close()
      while try reader.next() != nil {}
    case .vosk: _ = try VoskMessage(message)
    case .wenet:
      var reader = WeNetReader()
      _ = try reader.read(message)
    case .sherpa: _ = try SherpaMessage(message)
    case .wyoming:
      var reader = WyomingReader()
      reader.append(bytes)
      reader.close()
      while let frame = try reader.next() { _ = try WyomingMessage(frame) }
    case .openAI: _ = try TranscriptionTests.upload(bytes, portion: 4096)
    case .realtime:
      var limits = RealtimeReader.Limits()
      limits.messageBytes = 8192
      limits.audioBytes = 1024
      var reader = RealtimeReader(session: RealtimeSession(id: "s"), limits: limits)
      do throws(RealtimeFailure) {
        _ = try reader.read(message)
      } catch {
        throw error.error
      }
    }
  }

  @Test(arguments: MalformedCase.all)
  func isRefusedByName(_ malformed: MalformedCase) {
    let error = failure { () throws(WireError) in
      try Self.read(malformed.reader, malformed.bytes, isBinary: malformed.isBinary)
    }
    #expect(error?.code == malformed.code, "\(error?.message ?? "accepted")")
    if let field = malformed.field { #expect(error?.field == field) }
    #expect((error?.message.utf8.count ?? 0) < 600)
  }

  /// Bytes changed, cut out and doubled: whatever comes of it, nothing traps.
  @Test(arguments: [
    MalformedCase.Reader.native, .vosk, .wenet, .sherpa, .wyoming, .openAI, .realtime,
  ])
  func brokenBytesNeverTrap(_ reader: MalformedCase.Reader) {
    let seeds = MalformedCase.all.filter { $0.reader == reader && $0.bytes.count < 4096 }
    var generator = SplitMix(state: 4)
    for seed in seeds {
      for _ in 0..<200 {
        var bytes = seed.bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
          let at = Int.random(in: 0..<bytes.count, using: &generator)
          switch Int.random(in: 0..<4, using: &generator) {
          case 0: bytes[at] = UInt8.random(in: 0...255, using: &generator)
          case 1: bytes.remove(at: at)
          case 2: bytes.insert(contentsOf: bytes[at...].prefix(20), at: at)
          default: bytes.removeSubrange(at...)
          }
        }
        _ = failure { () throws(WireError) in
          try Self.read(reader, bytes, isBinary: Bool.random(using: &generator))
        }
      }
    }
  }

  @Test func messagesOutOfOrder() throws {
    var reader = WeNetReader()
    let start = WebSocketMessage(#"{"signal":"start"}"#)
    let end = WebSocketMessage(#"{"signal":"end"}"#)
    _ = try reader.read(start)
    func refused(_ message: WebSocketMessage) -> WireError.Code? {
      failure { () throws(WireError) in _ = try reader.read(message) }?.code
    }
    #expect(refused(start) == .unexpectedMessage)
    #expect(refused(.binary([0])) == .malformed)
    _ = try reader.read(end)
    #expect(refused(.binary([0, 0])) == .unexpectedMessage)
    #expect(refused(end) == .unexpectedMessage)
  }

  @Test(arguments: [
    "", "application/json", "multipart/form-data", "multipart/form-data; boundary=",
    "multipart/form-data; boundary=\"\u{E4}\"", "multipart/mixed; boundary=x",
    "multipart/form-data; boundary=" + String(repeating: "x", count: 71),
  ])
  func formsWithoutABoundary(_ contentType: String) {
    let error = failure { () throws(WireError) in
      _ = try TranscriptionUpload(contentType: contentType)
    }
    #expect(error?.field == "Content-Type")
  }
}

@Suite struct JSONValueTests {
  @Test func values() throws {
    let value = try JSONValue(
      parsing: utf8(
        " {\"a\" : [ 1, -0.5e1, true,false,null, \"\\u00e4\\n\\ud83d\\ude00\\/ü\" ],\"b\":{},\"b\":[]}\r\n"
      ))
    #expect(
      value
        == .object([
          "a": .array([
            .number(1), .number(-5), .bool(true), .bool(false), .null, .string("ä\n😀/ü"),
          ]), "b": .array([]),
        ]))
    #expect(try JSONValue(parsing: utf8(" 0 ")) == .number(0))
    let deep = String(repeating: "[", count: 32) + String(repeating: "]", count: 32)
    #expect(throws: Never.self) { try JSONValue(parsing: utf8(deep)) }
    #expect(throws: WireError.self) { try JSONValue(parsing: utf8(deep), depthLimit: 31) }
  }
}
