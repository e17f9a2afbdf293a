/// How a client writes its samples. The raw values are those of `PCMEncoding`.
public enum WireEncoding: String, CaseIterable, Sendable {
  case s16le, s32le, f32le, mulaw, alaw

  /// Bytes of one sample of one channel.
  public var bytesPerSample: Int {
    switch self {
    case .mulaw, .alaw: 1
    case .s16le: 2
    case .s32le, .f32le: 4
    }
  }
}

/// One message of a WebSocket, whole.
public enum WebSocketMessage: Equatable, Sendable {
  case text([UInt8])
  case binary([UInt8])

  /// A text message.
  public init(_ text: String) {
    self = .text(Array(text.utf8))
  }

  var bytes: [UInt8] {
    switch self {
    case .text(let bytes), .binary(let bytes): bytes
    }
  }

  /// - Throws: `tooLarge` if the message has more than `limit` bytes.
  func check(limit: Int) throws(WireError) {
    guard bytes.count <= limit else {
      throw WireError(
        .tooLarge, "a message of \(bytes.count) bytes, expected \(limit) at most")
    }
  }
}

/// Sample rates and channels that a client may declare.
enum AudioBounds {
  static let sampleRates = 1000...384_000
  static let channels = 1...64
}
