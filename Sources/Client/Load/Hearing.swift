import Synchronization
import Wire

/// One file heard in one session, while it is heard.
final class Hearing: Sendable {
  private let file: Int
  private let state = Mutex(State())

  fileprivate struct State {
    /// When each portion was sent, and the audio in all by then, in seconds.
    var sent: [(seconds: Double, instant: ContinuousClock.Instant)] = []
    var ended: ContinuousClock.Instant?
    var firstText: ContinuousClock.Instant?
    var lastFinal: ContinuousClock.Instant?
    var finals: [String] = []
    /// How far the results have come in the audio, in seconds.
    var reached = 0.0
    var lags: [Double] = []
  }

  init(file: Int) { self.file = file }

  @Sendable func note(_ progress: ClientSession.Progress, at instant: ContinuousClock.Instant) {
    state.withLock { state in
      switch progress {
      case .sending(let seconds): state.sent.append((seconds, instant))
      case .ending: state.ended = instant
      case .said(let result): state.note(result, at: instant)
      }
    }
  }

  func outcome(failure: String?, isPaced: Bool) -> HearingOutcome {
    state.withLock { state in
      var outcome = HearingOutcome(file: file, failure: failure)
      outcome.text = state.finals.joined(separator: " ")
      outcome.audioSeconds = state.sent.last?.seconds ?? 0
      outcome.lags = state.lags
      guard let first = state.sent.first else { return outcome }
      outcome.firstPartial = state.firstText.map { ($0 - first.instant).seconds }
      if let last = state.lastFinal, let ended = state.ended {
        outcome.finalAfterEnd = max(0, (last - ended).seconds)
      }
      if isPaced {
        outcome.sendDelays = state.sent.map {
          max(0, ($0.instant - first.instant).seconds - ($0.seconds - first.seconds))
        }
      }
      return outcome
    }
  }
}

extension Hearing.State {
  fileprivate mutating func note(_ result: ClientResult, at instant: ContinuousClock.Instant) {
    if !result.text.isEmpty { firstText = firstText ?? instant }
    // A final result waits for the silence after it, which is no lag.
    if !result.isFinal, let end = result.end, end > reached, !result.text.isEmpty {
      reached = end
      let sent = sent.first { $0.seconds >= end } ?? sent.last
      if let sent { lags.append((instant - sent.instant).seconds) }
    }
    guard result.isFinal else { return }
    lastFinal = instant
    if !result.text.isEmpty { finals.append(result.text) }
  }
}

/// One file heard in one session; times in seconds.
struct HearingOutcome: Sendable {
  /// Its number among the files of the load.
  var file: Int
  /// The kind of failure; nil if all is well.
  var failure: String?
  var text = ""
  /// Sent.
  var audioSeconds = 0.0
  var firstPartial: Double?
  var finalAfterEnd: Double?
  /// Of every partial result that reaches further than those before it.
  var lags: [Double] = []
  /// Of every portion, if sent at the speed of speech.
  var sendDelays: [Double] = []
}
