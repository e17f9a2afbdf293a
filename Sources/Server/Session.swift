import Audio
import Foundation
import Recognizer
import Synchronization

/// One speaker's audio on its way through the scheduler, whatever protocol brought it. One task
/// sends audio in, another reads the results.
final class Session: Sendable {
  /// Names the session in logs and to the client.
  let id = UUID().uuidString.lowercased()
  private let engine: Engine
  private let stream: ScheduledStream
  private let mailbox: ResultMailbox
  private let state: Mutex<State>

  private struct State {
    var seconds = 0.0
    var isOpen = true
  }

  /// - Parameter isBackground: a file, which must not delay live streams.
  init(_ engine: Engine, _ options: RecognizerOptions, isBackground: Bool) {
    self.engine = engine
    let mailbox = ResultMailbox()
    self.mailbox = mailbox
    state = Mutex(State())
    stream = engine.scheduler.makeStream(engine.model, options, isBackground: isBackground) {
      mailbox.put($0, isEnd: $1)
    }
  }

  deinit { cancel() }

  /// Seconds of audio accepted.
  var seconds: Double { state.withLock { $0.seconds } }

  /// What the stream says, as it says it; ends with the stream's last result or with `cancel`.
  var results: ResultMailbox { mailbox }

  /// Takes mono samples at the model's sample rate, and returns when there is room for more.
  func accept(_ samples: [Float]) async throws(SessionError) {
    guard !samples.isEmpty else { return }
    let seconds = Double(samples.count) / Double(engine.model.sampleRate)
    let total = state.withLock {
      $0.seconds += seconds
      return $0.seconds
    }
    guard total <= engine.limits.audioSeconds else {
      throw .tooMuchAudio(limit: engine.limits.audioSeconds)
    }
    guard mailbox.count <= engine.limits.unreadResults else {
      throw .notReading(limit: engine.limits.unreadResults)
    }
    engine.metrics.count(audioSeconds: seconds)
    stream.accept(samples)
    await stream.room(engine.limits.queuedSeconds)
  }

  /// Ends the audio: all that was accepted is still heard.
  func finish() { stream.finish() }

  /// Gives the session up, if it has not been closed.
  func cancel() {
    guard close() else { return }
    stream.cancel()
    mailbox.put([], isEnd: true)
  }

  /// Frees the session's place. The reader of the last result calls it.
  @discardableResult func close() -> Bool {
    let wasOpen = state.withLock { state in
      defer { state.isOpen = false }
      return state.isOpen
    }
    if wasOpen { engine.metrics.closeSession() }
    return wasOpen
  }
}

/// Results on their way from the decoding threads to the one task that reads them.
final class ResultMailbox: AsyncSequence, Sendable {
  private struct State {
    var results: [RecognitionResult] = []
    var isEnd = false
    var reader: CheckedContinuation<[RecognitionResult]?, Never>?
  }

  private let state = Mutex(State())

  /// Results that nobody has read yet.
  var count: Int { state.withLock { $0.results.count } }

  func put(_ results: [RecognitionResult], isEnd: Bool) {
    let wake = state.withLock { state -> (() -> Void)? in
      guard !state.isEnd else { return nil }
      state.results += results
      state.isEnd = isEnd
      guard let reader = state.reader, !state.results.isEmpty || isEnd else { return nil }
      let batch = state.results
      state.reader = nil
      state.results = []
      return { reader.resume(returning: batch.isEmpty ? nil : batch) }
    }
    wake?()
  }

  /// What has come since the last call, waiting for something; nil at the end.
  func next() async -> [RecognitionResult]? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let ready = state.withLock { state -> [RecognitionResult]?? in
          if !state.results.isEmpty {
            defer { state.results = [] }
            return .some(state.results)
          }
          if state.isEnd { return .some(nil) }
          precondition(state.reader == nil, "one task reads the results")
          state.reader = continuation
          return nil
        }
        if let ready { continuation.resume(returning: ready) }
      }
    } onCancel: {
      put([], isEnd: true)
    }
  }

  /// What has come by now, without waiting.
  func takeAll() -> [RecognitionResult] {
    state.withLock { state in
      defer { state.results = [] }
      return state.results
    }
  }

  struct Iterator: AsyncIteratorProtocol {
    let mailbox: ResultMailbox
    mutating func next() async -> [RecognitionResult]? { await mailbox.next() }
  }

  func makeAsyncIterator() -> Iterator { Iterator(mailbox: self) }
}
