import CKernels
import Synchronization

/// Divides the rows of large matrices among threads, for one long file at a time; streams and files
/// beside each other have a thread each instead.
///
/// What is computed of a row does not depend on the rows beside it, so results are the same with any
/// number of threads.
public enum Parallel {
  private static let crew = Mutex<ThreadCrew?>(nil)
  private static let threads = Atomic(1)
  /// Fewer rows for each thread than this are not worth its while.
  private static let rowsPerThread = 32

  /// Number of threads that one matrix may use, for the whole process; 1 at first.
  public static func setThreads(_ count: Int) {
    if count > 1 {
      crew.withLock { crew in
        if crew?.helpers ?? 0 < count - 1 { crew = ThreadCrew(helpers: count - 1) }
      }
    }
    threads.store(max(count, 1), ordering: .relaxed)
  }

  /// Parts that so many rows are divided into.
  static func parts(rows: Int) -> Int {
    max(min(threads.load(ordering: .relaxed), rows / rowsPerThread), 1)
  }

  /// Calls `body` with the index and the rows of each part, at once; one after the other when the
  /// threads are busy with another matrix.
  static func split(rows: Int, into parts: Int, _ body: (Int, Range<Int>) -> Void) {
    guard parts > 1 else { return body(0, 0..<rows) }
    func run(_ index: Int) {
      body(index, rows * index / parts..<rows * (index + 1) / parts)
    }
    if crew.withLock({ $0 })?.run(parts: parts, run) == true { return }
    for index in 0..<parts { run(index) }
  }

  /// Calls `body` with parts of `rows` rows, at once.
  public static func split(rows: Int, _ body: (Range<Int>) -> Void) {
    split(rows: rows, into: parts(rows: rows)) { _, range in body(range) }
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
