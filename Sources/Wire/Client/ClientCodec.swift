/// The client's side of one session in some protocol: what it sends, and what the answers mean.
///
/// Over plain bytes a message is any portion of them, `binary` in both directions.
public protocol ClientCodec: Sendable {
  /// Whether audio may be sent only once the server has said `ready`.
  var awaitsReady: Bool { get }

  /// What opens the session.
  func opening() -> [WebSocketMessage]

  /// A portion of whole samples in the protocol's `audioFormat`, at most a second of them.
  mutating func message(of audio: [UInt8]) -> WebSocketMessage

  /// What ends the audio.
  mutating func endOfAudio() -> [WebSocketMessage]

  /// Reads what the server says.
  ///
  /// - Throws: if it is not of the protocol.
  mutating func receive(_ message: WebSocketMessage) throws(WireError) -> [ClientEvent]

  /// The server has closed the WebSocket as one closes it when all is well.
  mutating func receiveClose() -> [ClientEvent]
}

extension ClientCodec {
  public var awaitsReady: Bool { false }
  public func opening() -> [WebSocketMessage] { [] }
  public mutating func message(of audio: [UInt8]) -> WebSocketMessage { .binary(audio) }
  public mutating func receiveClose() -> [ClientEvent] { [] }
}

/// What a server tells a client, whatever the protocol.
public enum ClientEvent: Equatable, Sendable {
  /// Audio may come.
  case ready
  case result(ClientResult)
  /// All is said.
  case end
  /// The server gives up.
  case failed(WireError)
}

/// What is known of one utterance by now.
public struct ClientResult: Equatable, Sendable {
  /// Number of the utterance in the session, from 0.
  public var utterance: Int
  /// Whether the text is settled.
  public var isFinal: Bool
  public var text: String
  /// Where the last word ends, in seconds from the start of the audio; nil where the protocol does
  /// not tell it of partial results too.
  public var end: Double?

  public init(utterance: Int, isFinal: Bool, text: String, end: Double? = nil) {
    self.utterance = utterance
    self.isFinal = isFinal
    self.text = text
    self.end = end
  }
}

/// How samples of one channel are written.
public struct ClientAudioFormat: Hashable, Sendable {
  /// `s16le` or `f32le`.
  public let encoding: WireEncoding
  /// In Hz.
  public let sampleRate: Int

  init(encoding: WireEncoding, sampleRate: Int) {
    precondition(encoding == .s16le || encoding == .f32le, "\(encoding) cannot be written")
    self.encoding = encoding
    self.sampleRate = sampleRate
  }

  public var bytesPerSecond: Int { encoding.bytesPerSample * sampleRate }

  /// - Parameter samples: `[samples]`, full scale being ±1; what is beyond is clipped to 16 bits.
  public func bytes(of samples: [Float]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(samples.count * encoding.bytesPerSample)
    for sample in samples {
      if encoding == .f32le {
        withUnsafeBytes(of: sample.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
      } else {
        let scaled = Int16(min(32_767, max(-32_768, (sample * 32_768).rounded())))
        withUnsafeBytes(of: scaled.littleEndian) { bytes.append(contentsOf: $0) }
      }
    }
    return bytes
  }
}

/// How long the parts of an answer may be: an utterance as long as a day has fewer bytes.
enum ClientLimits {
  static let messageBytes = 1 << 24
}

extension JSONFields {
  /// The text of a result.
  func resultText(_ field: String) throws(WireError) -> String {
    try required(field, string(field, limit: ClientLimits.messageBytes))
  }

  /// The error that a server reports in a field of its own.
  func reportedError(_ field: String) throws(WireError) -> WireError? {
    try string(field, limit: ClientLimits.messageBytes).map { WireError(.internalError, $0) }
  }
}
