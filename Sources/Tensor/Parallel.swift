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

  /// Parts that so many rows are divided into.
  static func parts(rows: Int) -> Int {
    max(min(threads.load(ordering: .relaxed), rows / rowsPerThread), 1)
  }

  /// Calls `body` with the index and the rows of each part, at once.
  static func split(rows: Int, into parts: Int, _ body: (Int, Range<Int>) -> Void) {
    guard parts > 1 else { return body(0, 0..<rows) }
    // The parts are disjoint.
    nonisolated(unsafe) let body = body
    DispatchQueue.concurrentPerform(iterations: parts) { index in
      body(index, rows * index / parts..<rows * (index + 1) / parts)
    }
  }

  /// Calls `body` with parts of `operand` and the index of the first row of each, at once.
  static func split(_ operand: ck_operand, _ body: (ck_operand, Int) -> Void) {
    // An operand of many groups is divided by groups.
    let byGroups = operand.groups > 1
    let units = byGroups ? operand.groups : operand.rows
    let parts = min(parts(rows: operand.groups * operand.rows), units)
    split(rows: units, into: parts) { _, range in
      var part = operand
      if byGroups {
        part.data += range.lowerBound * operand.group_stride
        part.groups = range.count
        body(part, range.lowerBound * operand.rows)
      } else {
        part.data += range.lowerBound * operand.stride
        part.rows = range.count
        body(part, range.lowerBound)
      }
    }
  }
}
