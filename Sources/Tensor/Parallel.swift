import CKernels
import Dispatch
import Synchronization

/// Divides the rows of large matrix products among threads.
///
/// A row's sums do not depend on the rows beside it, so results are the same with any number of
/// threads.
public enum Parallel {
  private static let threads = Atomic(1)
  /// Fewer rows for each thread than this are not worth waking one.
  private static let rowsPerThread = 32

  /// Number of threads that one product may use, for the whole process; 1 at first: streams and
  /// files run side by side instead.
  public static func setThreads(_ count: Int) {
    threads.store(max(count, 1), ordering: .relaxed)
  }

  /// Calls `body` with parts of `operand` and the index of the first row of each, at once.
  static func split(_ operand: ck_operand, _ body: (ck_operand, Int) -> Void) {
    // An operand of many groups is divided by groups.
    let byGroups = operand.groups > 1
    let units = byGroups ? operand.groups : operand.rows
    let parts = min(
      threads.load(ordering: .relaxed), operand.groups * operand.rows / rowsPerThread, units)
    guard parts > 1 else { return body(operand, 0) }
    // The parts are disjoint, and the operand is only read.
    nonisolated(unsafe) let (operand, body) = (operand, body)
    DispatchQueue.concurrentPerform(iterations: parts) { index in
      let (first, last) = (units * index / parts, units * (index + 1) / parts)
      var part = operand
      if byGroups {
        part.data += first * operand.group_stride
        part.groups = last - first
        body(part, first * operand.rows)
      } else {
        part.data += first * operand.stride
        part.rows = last - first
        body(part, first)
      }
    }
  }
}
