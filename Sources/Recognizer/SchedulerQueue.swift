import Foundation

/// Which streams are ready for what, under one lock.
final class SchedulerQueue: @unchecked Sendable {
  private let configuration: BatchScheduler.Configuration
  private let lock = NSCondition()
  private var live: [ScheduledStream] = []
  private var settling: [ScheduledStream] = []
  private var background: [ScheduledStream] = []
  /// Live streams that are open.
  private var liveCount = 0
  private var isStopped = false

  /// What a thread does next.
  enum Turn {
    case decode([ScheduledStream])
    case settle(ScheduledStream)
  }

  /// What a thread is for, the most urgent first.
  enum Duty: CaseIterable {
    /// Chunks of live streams.
    case live
    /// Final passes.
    case settling
    /// Chunks of background streams.
    case background
  }

  init(_ configuration: BatchScheduler.Configuration) { self.configuration = configuration }

  func stop() {
    lock.withLock {
      isStopped = true
      lock.broadcast()
    }
  }

  func open(_ stream: ScheduledStream) {
    lock.withLock { if !stream.isBackground { liveCount += 1 } }
  }

  func read<Result>(_ body: () -> Result) -> Result { lock.withLock(body) }

  /// Changes what is known of a stream from outside and queues it if it is ready now.
  func change(_ stream: ScheduledStream, _ body: () -> Void) {
    let waiters = lock.withLock {
      body()
      if stream.phase == .idle { enqueue(stream) }
      return stream.takeWaiters()
    }
    for waiter in waiters { waiter.resume() }
  }

  /// The next turn of a thread; nil when it may end.
  func nextTurn(_ duty: Duty) -> Turn? {
    lock.withLock {
      while true {
        if let turn = takeTurn(duty) { return turn }
        if isStopped, live.isEmpty, settling.isEmpty, background.isEmpty { return nil }
        if duty == .live, let first = live.first {
          // Others may still come in time to share the pass.
          let waited = (ContinuousClock.now - first.readySince) / .seconds(1)
          _ = lock.wait(
            until: Date(timeIntervalSinceNow: max(0.0005, configuration.patience - waited)))
        } else {
          lock.wait()
        }
      }
    }
  }

  private func takeTurn(_ duty: Duty) -> Turn? {
    switch duty {
    case .live:
      guard let first = live.first else { return nil }
      let full = min(configuration.largestBatch, liveCount)
      let waited = (ContinuousClock.now - first.readySince) / .seconds(1)
      guard live.count >= full || waited >= configuration.patience || isStopped else { return nil }
      return .decode(takeBatch())
    case .settling: return settling.isEmpty ? nil : .settle(take(&settling))
    case .background: return background.isEmpty ? nil : .decode([take(&background)])
    }
  }

  /// The live streams that have waited longest, of one model.
  private func takeBatch() -> [ScheduledStream] {
    let model = live[0].model
    var batch: [ScheduledStream] = []
    live.removeAll { stream in
      guard batch.count < configuration.largestBatch, stream.model === model else { return false }
      stream.phase = .running
      batch.append(stream)
      return true
    }
    return batch
  }

  private func take(_ queue: inout [ScheduledStream]) -> ScheduledStream {
    let stream = queue.removeFirst()
    stream.phase = .running
    return stream
  }

  /// The samples that a stream in hand wants for its next chunk, and whether its audio ends with
  /// them. The rest waits in the inbox, where it is counted.
  func takeInput(_ stream: ScheduledStream) -> (samples: [Float], ends: Bool) {
    let (input, waiters) = lock.withLock {
      let samples = Array(stream.inbox.prefix(stream.samplesWanted + Self.moreSamples))
      stream.inbox.removeFirst(samples.count)
      let ends = stream.inputEnded && stream.inbox.isEmpty && !stream.endIsTaken
      if ends { stream.endIsTaken = true }
      return ((samples, ends), stream.takeWaiters())
    }
    for waiter in waiters { waiter.resume() }
    return input
  }

  /// Samples taken beyond those wanted, of which there may have to be a few more.
  private static let moreSamples = 1600

  /// Gives a stream back after a turn.
  func putBack(_ stream: ScheduledStream, isDone: Bool) {
    let waiters = lock.withLock {
      stream.samplesWanted = stream.stream.samplesWanted
      stream.phase = isDone ? .done : .idle
      if isDone { close(stream) } else { enqueue(stream) }
      return stream.takeWaiters()
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Puts an idle stream where it belongs: nowhere while it lacks samples.
  private func enqueue(_ stream: ScheduledStream) {
    if stream.isCancelled {
      stream.phase = .done
      close(stream)
      return
    }
    if stream.stream.hasUnsettled {
      stream.phase = .ended
      settling.append(stream)
    } else if stream.inputEnded || stream.inbox.count >= max(1, stream.samplesWanted) {
      stream.phase = .waiting
      stream.readySince = .now
      if stream.isBackground { background.append(stream) } else { live.append(stream) }
    } else {
      return
    }
    // Threads of all duties wait for the same condition.
    lock.broadcast()
  }

  private func close(_ stream: ScheduledStream) {
    stream.inbox = []
    if !stream.isBackground { liveCount -= 1 }
    lock.broadcast()
  }
}

extension SchedulerQueue.Turn {
  func run(
    _ queue: SchedulerQueue, _ workspace: Workspace,
    _ report: (@Sendable (BatchScheduler.Report) -> Void)?
  ) {
    switch self {
    case .decode(let streams): Self.decode(streams, queue, workspace, report)
    case .settle(let stream): Self.settle(stream, queue, workspace, report)
    }
  }

  private static func decode(
    _ streams: [ScheduledStream], _ queue: SchedulerQueue, _ workspace: Workspace,
    _ report: (@Sendable (BatchScheduler.Report) -> Void)?
  ) {
    let start = ContinuousClock.now
    let readySince = streams.map(\.readySince)
    for stream in streams {
      let (samples, ends) = queue.takeInput(stream)
      if !samples.isEmpty { stream.stream.take(samples) }
      if ends { stream.stream.end() }
    }
    _ = RecognizerStream.decodeChunk(of: streams.lazy.map(\.stream), workspace)
    var lags: [Double] = []
    for (index, stream) in streams.enumerated() {
      let hasChunk = stream.stream.hasChunk
      var results: [RecognitionResult] = []
      var isDone = false
      if !hasChunk, stream.stream.finished {
        // That was the last chunk before this turn.
        if let empty = stream.stream.closeLastUtterance() { results.append(empty) }
        isDone = !stream.stream.hasUnsettled
      } else if hasChunk, !stream.stream.hasUnsettled {
        _ = stream.stream.settleNext(workspace.scratch)
        if let partial = stream.stream.takePartial() { results.append(partial) }
      }
      if hasChunk { lags.append((ContinuousClock.now - readySince[index]) / .seconds(1)) }
      if !results.isEmpty || isDone { stream.deliver(results, isEnd: isDone) }
      queue.putBack(stream, isDone: isDone)
    }
    if !lags.isEmpty {
      report?(
        .decoded(
          streams: lags.count, seconds: (ContinuousClock.now - start) / .seconds(1), lags: lags))
    }
  }

  private static func settle(
    _ stream: ScheduledStream, _ queue: SchedulerQueue, _ workspace: Workspace,
    _ report: (@Sendable (BatchScheduler.Report) -> Void)?
  ) {
    let start = ContinuousClock.now
    var results: [RecognitionResult] = []
    while let result = stream.stream.settleNext(workspace.scratch) { results.append(result) }
    let settled = results.count
    if let partial = stream.stream.takePartial() { results.append(partial) }
    let isDone = stream.stream.isClosed
    stream.deliver(results, isEnd: isDone)
    queue.putBack(stream, isDone: isDone)
    report?(
      .settled(utterances: settled, seconds: (ContinuousClock.now - start) / .seconds(1)))
  }
}

extension ScheduledStream {
  fileprivate func deliver(_ results: [RecognitionResult], isEnd: Bool) {
    if !isDropped { receive(results, isEnd) }
  }
}
