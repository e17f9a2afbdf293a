/// A protocol that a client can speak. The raw values are those of the server's services, where
/// `realtime` is part of `http`.
public enum ClientProtocol: String, CaseIterable, Sendable {
  case native, vosk, wenet, sherpa
  case sherpaPython = "sherpa-python"
  case wyoming, realtime

  /// Whether messages go over a WebSocket, and not over plain bytes.
  public var usesWebSocket: Bool { self != .native && self != .wyoming }

  /// What is asked of an HTTP server for a WebSocket.
  public var path: String { self == .realtime ? "/v1/realtime?intent=transcription" : "/" }

  /// The port where such servers usually are.
  public var usualPort: Int {
    switch self {
    case .native: 7700
    case .vosk: 2700
    case .wenet: 10_086
    case .sherpa, .sherpaPython: 6006
    case .wyoming: 10_300
    case .realtime: 8080
    }
  }

  /// How audio is sent, in one channel.
  public var audioFormat: ClientAudioFormat {
    switch self {
    case .sherpa, .sherpaPython: .init(encoding: .f32le, sampleRate: 16_000)
    case .realtime: .init(encoding: .s16le, sampleRate: 24_000)
    case .native, .vosk, .wenet, .wyoming: .init(encoding: .s16le, sampleRate: 16_000)
    }
  }

  /// Whether a client of this protocol can ask for it.
  public func carries(_ option: ClientOptions.Name) -> Bool {
    switch option {
    case .latency, .finalPass: self == .native
    case .hotWords: [.native, .vosk, .wyoming, .realtime].contains(self)
    case .token: self != .wyoming
    }
  }

  /// One session's side of the client.
  ///
  /// - Precondition: the protocol `carries` what `options` name.
  public func makeCodec(_ options: ClientOptions) -> any ClientCodec {
    for name in options.named {
      precondition(carries(name), "\(rawValue) has no place for \(name)")
    }
    switch self {
    case .native: return NativeClient(options)
    case .vosk: return VoskClient(options)
    case .wenet: return WeNetClient()
    case .sherpa: return SherpaClient(.native)
    case .sherpaPython: return SherpaClient(.python)
    case .wyoming: return WyomingClient(options)
    case .realtime: return RealtimeClient(options)
    }
  }
}

/// What a client may ask for; nil and empty for the server's own choice.
public struct ClientOptions: Equatable, Sendable {
  public enum Name: CaseIterable, Sendable {
    case latency, finalPass, hotWords, token
  }

  /// The server knows which there are.
  public var latency: String?
  /// The server knows which there are.
  public var finalPass: String?
  /// Phrases to listen for.
  public var hotWords: [String] = []
  /// Proves that the client may connect. Over WebSockets the request for one carries it, not the
  /// codec.
  public var token: String?

  public init() {}

  /// What is asked for.
  public var named: [Name] {
    Name.allCases.filter { name in
      switch name {
      case .latency: latency != nil
      case .finalPass: finalPass != nil
      case .hotWords: !hotWords.isEmpty
      case .token: token != nil
      }
    }
  }
}
