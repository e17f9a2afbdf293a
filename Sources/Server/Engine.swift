import Decoding
public import Recognizer

/// The model, the decoding threads and the counters behind all sessions of a server.
public final class Engine: Sendable {
  public let model: RecognizerModel
  public let limits: SessionLimits
  /// What a session does unless its client asks for something else.
  public let defaults: RecognizerOptions
  /// Splits hot words.
  let segmenter: TokenSegmenter
  let scheduler: BatchScheduler
  let metrics: Metrics

  public init(
    model: RecognizerModel, defaults: RecognizerOptions = RecognizerOptions(),
    limits: SessionLimits = SessionLimits(),
    scheduling: BatchScheduler.Configuration = BatchScheduler.Configuration()
  ) {
    self.model = model
    self.defaults = defaults
    self.limits = limits
    segmenter = TokenSegmenter(model.vocabulary)
    let metrics = Metrics()
    self.metrics = metrics
    scheduler = BatchScheduler(scheduling) { metrics.record($0) }
  }

  /// Decodes a second of silence on the scheduler's threads: what readiness means.
  public func probe() async {
    await withCheckedContinuation { continuation in
      let stream = scheduler.makeStream(
        model, RecognizerOptions(latency: .blocks(newFrames: 8, lookAheadFrames: 0))
      ) { _, isEnd in
        if isEnd { continuation.resume() }
      }
      stream.accept([Float](repeating: 0, count: model.sampleRate))
      stream.finish()
    }
  }

  /// Opens a session, if there is room for one more.
  func open(
    _ options: RecognizerOptions, isBackground: Bool = false
  ) throws(SessionError) -> Session {
    guard metrics.openSession(limit: limits.sessions) else {
      metrics.count(error: "too_many_sessions")
      throw .tooManySessions(limit: limits.sessions)
    }
    return Session(self, options, isBackground: isBackground)
  }

  /// Weighs the server's language model anew.
  ///
  /// - Returns: false if it has none.
  func setLanguageWeight(_ weight: Double, in options: inout DecodingOptions) -> Bool {
    guard let index = options.biases.firstIndex(where: { $0.name == "language_model" }) else {
      return false
    }
    options.biases[index].weight = weight
    return true
  }

  func stop() { scheduler.stop() }
}

/// What one session may cost.
public struct SessionLimits: Hashable, Sendable {
  /// Sessions at once.
  public var sessions: Int
  /// Seconds of audio in one session.
  public var audioSeconds: Double
  /// Seconds of audio that may wait to be decoded; a sender that is faster waits.
  public var queuedSeconds: Double
  /// Results that may wait for a client that does not read, before it is dropped.
  public var unreadResults: Int
  /// Seconds without any audio or message.
  public var idleSeconds: Double
  /// Seconds until the first message.
  public var handshakeSeconds: Double
  /// Bytes of one message.
  public var messageBytes: Int
  /// Bytes of a file that is uploaded.
  public var fileBytes: Int

  public init(
    sessions: Int = 200, audioSeconds: Double = 4 * 3600, queuedSeconds: Double = 10,
    unreadResults: Int = 1000, idleSeconds: Double = 60, handshakeSeconds: Double = 10,
    messageBytes: Int = 4 << 20, fileBytes: Int = 1 << 30
  ) {
    self.sessions = sessions
    self.audioSeconds = audioSeconds
    self.queuedSeconds = queuedSeconds
    self.unreadResults = unreadResults
    self.idleSeconds = idleSeconds
    self.handshakeSeconds = handshakeSeconds
    self.messageBytes = messageBytes
    self.fileBytes = fileBytes
  }
}

/// Why a session ends before its audio does. Every protocol says it in its own words.
public enum SessionError: Error, Equatable, CustomStringConvertible {
  case tooManySessions(limit: Int)
  case tooMuchAudio(limit: Double)
  case notReading(limit: Int)
  case idle(seconds: Double)
  /// Audio that cannot be what was declared.
  case badAudio(String)
  /// The server is going down.
  case draining

  public var description: String {
    switch self {
    case .tooManySessions(let limit): "all \(limit) sessions are taken; try again later"
    case .tooMuchAudio(let limit): "a session may have \(Int(limit)) seconds of audio"
    case .notReading(let limit): "\(limit) results were not read"
    case .idle(let seconds): "nothing came for \(Int(seconds)) seconds"
    case .badAudio(let reason): reason
    case .draining: "the server is going down; try again later"
    }
  }
}
