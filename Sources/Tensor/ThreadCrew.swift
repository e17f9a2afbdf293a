import CKernels
import Foundation
import Synchronization

/// Threads that do parts of one job at a time, again and again, with little time between the jobs: a
/// step has some hundred of them. A helper that has nothing to do looks for the next job for a
/// moment before it sleeps, as waking it would take longer than most jobs do.
final class ThreadCrew: Sendable {
  /// What is to be done; written by the one who runs, read by helpers after `generation` has moved.
  private final class Job: @unchecked Sendable {
    var parts = 0
    var body: ((Int) -> Void)?
  }

  let helpers: Int
  private let job = Job()
  private let generation = Atomic(0)
  /// Helpers that have not yet done with the job.
  private let remaining = Atomic(0)
  private let sleeping = Atomic(0)
  private let isBusy = Atomic(false)
  private let condition = NSCondition()
  /// Looks for a job before sleep: about 50 µs.
  private static let patience = 2000

  /// - Parameter helpers: threads beside the caller's; they end with the process.
  init(helpers: Int) {
    self.helpers = helpers
    for index in 1...helpers {
      let thread = Thread { [self] in help(index) }
      thread.name = "parallel-\(index)"
      thread.start()
    }
  }

  /// Calls `body` with each part, 0 to `parts - 1`, at once, and returns when all are done.
  ///
  /// - Returns: false, and nothing was done, if the crew does another job or has too few threads.
  func run(parts: Int, _ body: (Int) -> Void) -> Bool {
    guard parts <= helpers + 1,
      isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    else { return false }
    defer { isBusy.store(false, ordering: .releasing) }
    withoutActuallyEscaping(body) { body in
      (job.parts, job.body) = (parts, body)
      remaining.store(helpers, ordering: .relaxed)
      generation.add(1, ordering: .sequentiallyConsistent)
      if sleeping.load(ordering: .sequentiallyConsistent) > 0 {
        condition.lock()
        condition.broadcast()
        condition.unlock()
      }
      body(0)
      while remaining.load(ordering: .acquiring) > 0 { ck_pause() }
      job.body = nil
    }
    return true
  }

  private func help(_ index: Int) {
    var seen = 0
    while true {
      waitForJob(after: seen)
      seen = generation.load(ordering: .acquiring)
      if index < job.parts { job.body!(index) }
      remaining.subtract(1, ordering: .releasing)
    }
  }

  private func waitForJob(after seen: Int) {
    for _ in 0..<Self.patience {
      if generation.load(ordering: .acquiring) != seen { return }
      ck_pause()
    }
    condition.lock()
    sleeping.add(1, ordering: .sequentiallyConsistent)
    while generation.load(ordering: .sequentiallyConsistent) == seen { condition.wait() }
    sleeping.subtract(1, ordering: .relaxed)
    condition.unlock()
  }
}
