import Audio
import Foundation
import Logging
import Recognizer
import Synchronization

/// One speaker's audio on its way through the scheduler, whatever protocol brought it. One task
/// sends audio in, another reads the results.
final class Session: Sendable {
  /// Names the session in logs and to the client.
  let id = UUID().uuidString.lowercased()
  /// What the stream says, as it says it; ends with the stream's last result or with `cancel`.
  let results = ResultMailbox()
  private let engine: Engine
  private let sampleRate: Int
  private let stream: ScheduledStream
  private let logger: Logger
  private let state: Mutex<State>

  private struct State {
    var seconds = 0.0
    var isFinished = false
    /// nil once the session is closed.
    var place: SessionPlace?
  }

  /// - Parameters:
  ///   - place: is free again when the session is closed.
  ///   - isBackground: a file, which must not delay live streams.
  init(
    _ engine: Engine, _ options: SessionOptions, place: SessionPlace, isBackground: Bool,
    logger: Logger, logsText: Bool
  ) {
    self.engine = engine
    sampleRate = options.model.sampleRate
    state = Mutex(State(place: place))
    var logger = logger
    logger[metadataKey: "session"] = "\(id)"
    self.logger = logger
    stream = engine.scheduler.makeStream(
      options.model, options.recognizer, isBackground: isBackground
    ) { [results, logger] in
      if logsText { Self.log($0, logger) }
      results.put($0, isEnd: $1)
    }
    logger.info("session opened")
  }

  deinit { cancel() }

  /// Seconds of audio accepted.
  var seconds: Double { state.withLock { $0.seconds } }

  /// Takes mono samples at the model's sample rate, and returns when there is room for more.
  func accept(_ samples: [Float]) async throws(SessionError) {
    guard !samples.isEmpty else { return }
    await results.room(engine.limits.unreadResults)
    let seconds = Double(samples.count) / Double(sampleRate)
    let (total, isOpen) = state.withLock {
      $0.seconds += seconds
      return ($0.seconds, $0.place != nil)
    }
    guard isOpen else { throw .cancelled }
    guard total <= engine.limits.audioSeconds else {
      throw .tooMuchAudio(limit: engine.limits.audioSeconds)
    }
    engine.metrics.count(audioSeconds: seconds)
    stream.accept(samples)
    await stream.room(engine.limits.queuedSeconds)
  }

  /// Ends the audio, if nothing has yet: all that was accepted is still heard.
  func finish() {
    let isFirst = state.withLock { state in
      defer { state.isFinished = true }
      return !state.isFinished
    }
    if isFirst { stream.finish() }
  }

  /// Whether the audio has ended.
  var isFinished: Bool { state.withLock { $0.isFinished } }

  /// Gives the session up, if it has not been closed.
  func cancel() {
    guard close() else { return }
    stream.cancel()
    results.put([], isEnd: true)
  }

  /// Frees the session's place. The reader of the last result calls it.
  ///
  /// - Returns: false if it was free before.
  @discardableResult func close() -> Bool {
    let (place, seconds) = state.withLock { state in
      defer { state.place = nil }
      return (state.place, state.seconds)
    }
    guard place != nil else { return false }
    logger.info("session closed", metadata: ["seconds": "\((seconds * 100).rounded() / 100)"])
    return true
  }

  private static func log(_ results: [RecognitionResult], _ logger: Logger) {
    for result in results where result.kind == .final {
      logger.info(
        "utterance", metadata: ["utterance": "\(result.utterance)", "text": "\(result.text)"])
    }
  }
}
