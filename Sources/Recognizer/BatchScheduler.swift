import Foundation

/// Decodes many streams on threads of its own, ready chunks of several streams together.
///
/// Live chunks come first, the stream that has waited longest before the others, one chunk of each
/// at a time. Final passes and background streams (whole files) take what is left, and never the
/// last thread where there are two: a live chunk waits for at most one of them. A stream waits for
/// its own final pass, so its results come in order.
public final class BatchScheduler: Sendable {
  public struct Configuration: Sendable {
    /// Threads that decode.
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
    for index in 0..<configuration.threads {
      let thread = Thread { [queue, report] in
        let workspace = Workspace()
        while let turn = queue.nextTurn() { turn.run(queue, workspace, report) }
      }
      thread.name = "decoder-\(index)"
      // Swift's concurrency gives its threads far less than a main thread has.
      thread.stackSize = 4 << 20
      thread.start()
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
