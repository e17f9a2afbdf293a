import NIOCore
import NIOPosix

/// Runs tasks on the thread of one event loop, so that sessions cost no switch between threads and
/// leave the other cores to whom they measure.
final class LoopExecutor: TaskExecutor {
  /// For all sessions of the process.
  static let shared = LoopExecutor(MultiThreadedEventLoopGroup(numberOfThreads: 1).next())

  let loop: any EventLoop

  private init(_ loop: any EventLoop) { self.loop = loop }

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
  }

  /// Returns at `instant`, whether the task is cancelled or not.
  func sleep(until instant: ContinuousClock.Instant) async {
    let left = instant - .now
    guard left > .zero else { return }
    try? await loop.scheduleTask(in: TimeAmount(left)) {}.futureResult.get()
  }
}
