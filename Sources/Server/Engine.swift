import Recognizer
import Synchronization

/// The model, the decoding threads and the counters behind all sessions of a server.
public final class Engine: Sendable {
  public let limits: SessionLimits
  let scheduler: BatchScheduler
  let metrics: Metrics
  private let loaded: Mutex<LoadedModel>

  public init(
    _ model: LoadedModel, limits: SessionLimits = SessionLimits(),
    scheduling: BatchScheduler.Configuration = BatchScheduler.Configuration()
  ) {
    loaded = Mutex(model)
    self.limits = limits
    let metrics = Metrics()
    self.metrics = metrics
    scheduler = BatchScheduler(scheduling) { metrics.record($0) }
  }

  /// What new sessions are heard with.
  var model: LoadedModel { loaded.withLock { $0 } }

  /// Lets sessions that begin from now on be heard with another model. Those that are open keep
  /// theirs, which is freed with the last of them.
  func replaceModel(_ new: LoadedModel) { loaded.withLock { $0 = new } }

  /// Decodes a second of silence on the scheduler's threads: what readiness means.
  func probe() async {
    let model = model.model
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

  /// Takes a place for a session, if one is free.
  func takePlace() throws(SessionError) -> SessionPlace {
    guard let place = SessionPlace(metrics, limit: limits.sessions) else {
      metrics.count(error: "too_many_sessions")
      throw .tooManySessions(limit: limits.sessions)
    }
    return place
  }

  func stop() { scheduler.stop() }
}

/// One of the places for sessions; free again when nothing holds this any more.
final class SessionPlace: Sendable {
  private let metrics: Metrics

  init?(_ metrics: Metrics, limit: Int) {
    guard metrics.openSession(limit: limit) else { return nil }
    self.metrics = metrics
  }

  deinit { metrics.closeSession() }
}
