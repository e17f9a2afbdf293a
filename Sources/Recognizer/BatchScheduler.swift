import Foundation

/// Decodes many streams on threads of its own, ready chunks of several streams together.
///
/// Live chunks have threads of their own, so they never wait for anything else: the stream that has
/// waited longest comes before the others, one chunk of each at a time. Final passes and background
/// streams (whole files) have theirs, which the system runs when it has nothing better to do. A
/// stream waits for its own final pass, so its results come in order.
public final class BatchScheduler: Sendable {
  public struct Configuration: Sendable {
    /// Threads that decode live chunks: as many as there are processors. There are others, at least
    /// one each, for final passes and for background streams.
    public var threads: Int
    /// Most chunks of one encoder pass.
    public var largestBatch: Int
    /// How long a live chunk waits for company while other live streams are open, in seconds.
    public var patience: Double

    public init(threads: Int? = nil, largestBatch: Int = 16, patience: Double = 0.01) {
      self.threads = threads ?? ProcessInfo.processInfo.activeProcessorCount
      self.largestBatch = largestBatch
      self.patience = patience
    }
  }

  /// What one turn of a thread has done.
  public enum Report: Sendable {
    /// An encoder pass over a chunk of each of `streams`, in seconds of computing, and how long each
    /// chunk took from its last sample to its result.
    case decoded(streams: Int, seconds: Double, lags: [Double])
    /// Final passes of one stream, in seconds of computing.
    case settled(utterances: Int, seconds: Double)
  }

  private let queue: SchedulerQueue
  private let report: (@Sendable (Report) -> Void)?

  /// - Parameter report: called on the scheduler's threads after each turn.
  public init(
    _ configuration: Configuration = Configuration(),
    report: (@Sendable (Report) -> Void)? = nil
  ) {
    precondition(configuration.threads > 0 && configuration.largestBatch > 0)
    queue = SchedulerQueue(configuration)
    self.report = report
    for duty in SchedulerQueue.Duty.allCases {
      let count = duty == .live ? configuration.threads : max(1, configuration.threads - 1)
      for index in 0..<count {
        let thread = Thread { [queue, report] in
          duty.lowerPriority()
          let workspace = Workspace()
          while let turn = queue.nextTurn(duty) { turn.run(queue, workspace, report) }
        }
        thread.name = "\(duty)-\(index)"
        // Swift's concurrency gives its threads far less than a main thread has.
        thread.stackSize = 4 << 20
        thread.start()
      }
    }
  }

  /// A stream whose results go to `receive`, on the scheduler's threads, one call at a time and in
  /// order; the last call has `isEnd`, unless the stream is cancelled.
  public func makeStream(
    _ model: RecognizerModel, _ options: RecognizerOptions = RecognizerOptions(),
    isBackground: Bool = false,
    receive: @escaping @Sendable (_ results: [RecognitionResult], _ isEnd: Bool) -> Void
  ) -> ScheduledStream {
    ScheduledStream(
      model.makeStream(options), model: model, isBackground: isBackground, queue: queue,
      receive: receive)
  }

  /// Lets the threads end when nothing is left to do. Streams accept nothing any more.
  public func stop() { queue.stop() }
}

extension SchedulerQueue.Duty {
  /// Makes room on the calling thread for whatever is more urgent. On Linux a thread has a niceness
  /// of its own: setpriority(2).
  fileprivate func lowerPriority() {
    let niceness: Int32 =
      switch self {
      case .live: 0
      case .settling: 5
      case .background: 15
      }
    if niceness > 0 { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, niceness) }
  }
}
