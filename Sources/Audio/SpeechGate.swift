/// When a run of speech probabilities counts as speech. Times in samples.
public struct SpeechGateRule: Codable, Hashable, Sendable {
  /// Speech begins with a step of at least this probability.
  public var startProbability: Float
  /// Only steps below this probability count as silence; between the two, speech goes on.
  public var endProbability: Float
  /// Silence after which speech has ended.
  public var endSilence: Int
  /// How far before the first loud step speech is said to begin, so that no onset is cut.
  public var preRoll: Int

  /// Silero's thresholds, 800 ms of silence and 320 ms of pre-roll at 16 kHz.
  public init(
    startProbability: Float = 0.5, endProbability: Float = 0.35, endSilence: Int = 12_800,
    preRoll: Int = 5_120
  ) {
    precondition(endProbability <= startProbability && endSilence >= 0 && preRoll >= 0)
    self.startProbability = startProbability
    self.endProbability = endProbability
    self.endSilence = endSilence
    self.preRoll = preRoll
  }
}

/// Turns speech probabilities into spans of speech by a `SpeechGateRule`. A pure value.
///
/// The spans that it opens never overlap: a span ends at the sample where its end was decided, and
/// the pre-roll of the next one reaches back to there at most. So whoever passes on the samples
/// from `speechStarted.from` to `speechEnded.at` passes none twice, and must keep no more than
/// `preRoll` samples and a step while the gate is closed.
public struct SpeechGate: Equatable, Sendable {
  public enum Event: Equatable, Sendable {
    /// Speech begins at sample `from`, pre-roll included.
    case speechStarted(from: Int)
    /// Speech ended: its last sound was before sample `lastSound`, decided at sample `at`.
    case speechEnded(lastSound: Int, at: Int)
  }

  public enum State: Equatable, Sendable {
    case silence
    /// Speech since sample `from`; `quietSince` is the start of the silence at its end, if any.
    case speech(from: Int, quietSince: Int?)
  }

  public let rule: SpeechGateRule
  public private(set) var state = State.silence
  /// Samples heard.
  public private(set) var position = 0
  /// Where the last span ended.
  private var closed = 0

  public init(_ rule: SpeechGateRule = SpeechGateRule()) { self.rule = rule }

  public var isOpen: Bool { state != .silence }

  /// First sample that a span may still begin at: older ones need not be kept.
  public var earliestStart: Int {
    if case .speech(let from, _) = state { return from }
    return max(closed, position - rule.preRoll)
  }

  /// Takes the probability of the next `samples` samples.
  public mutating func advance(_ probability: Float, samples: Int) -> Event? {
    let start = position
    position += samples
    switch state {
    case .silence:
      guard probability >= rule.startProbability else { return nil }
      let from = max(closed, start - rule.preRoll)
      state = .speech(from: from, quietSince: nil)
      return .speechStarted(from: from)
    case .speech(let from, let quietSince):
      guard probability < rule.endProbability else {
        state = .speech(from: from, quietSince: nil)
        return nil
      }
      let quiet = quietSince ?? start
      state = .speech(from: from, quietSince: quiet)
      return position - quiet >= rule.endSilence ? close(lastSound: quiet) : nil
    }
  }

  /// Ends a span that is still open, at the end of the signal.
  public mutating func finish() -> Event? {
    guard case .speech(_, let quietSince) = state else { return nil }
    return close(lastSound: quietSince ?? position)
  }

  private mutating func close(lastSound: Int) -> Event {
    state = .silence
    closed = position
    return .speechEnded(lastSound: lastSound, at: position)
  }
}
