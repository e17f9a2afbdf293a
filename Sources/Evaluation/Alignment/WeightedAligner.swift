/// Alignments of least cost where a substitution does not cost what a deletion does.
///
/// A plain table of costs, halved where it would not fit (Hirschberg 1975).
struct WeightedAligner {
  /// NIST's costs.
  static let sclite = WeightedAligner(substitution: 4, gap: 3)

  /// Cells of a kept table at most: 16 MiB.
  private static let tableLimit = 1 << 24

  let substitution: Int32
  /// Of a deletion or an insertion.
  let gap: Int32

  func align(
    _ reference: ArraySlice<Int32>, _ hypothesis: ArraySlice<Int32>
  ) -> [EditOperation] {
    var operations: [EditOperation] = []
    append(reference, hypothesis, &operations)
    return operations
  }

  private func append(
    _ reference: ArraySlice<Int32>, _ hypothesis: ArraySlice<Int32>,
    _ operations: inout [EditOperation]
  ) {
    let fits = (reference.count + 1) * (hypothesis.count + 1) <= Self.tableLimit
    guard !fits, reference.count > 1 else {
      operations += path(reference, hypothesis)
      return
    }
    let middle = reference.count / 2
    let (first, second) = (reference.prefix(middle), reference.dropFirst(middle))
    let before = lastRow(first, hypothesis)
    let after = lastRow(second.reversed(), hypothesis.reversed())
    let split = (0...hypothesis.count).min {
      before[$0] + after[hypothesis.count - $0] < before[$1] + after[hypothesis.count - $1]
    }!
    append(first, hypothesis.prefix(split), &operations)
    append(second, hypothesis.dropFirst(split), &operations)
  }

  /// Costs of the whole reference against every start of the hypothesis.
  private func lastRow(
    _ reference: some Collection<Int32>, _ hypothesis: some Collection<Int32>
  ) -> [Int32] {
    let hypothesis = Array(hypothesis)
    var row = firstRow(hypothesis.count)
    for token in reference { advance(&row, token, hypothesis) { _, _ in } }
    return row
  }

  private func firstRow(_ count: Int) -> [Int32] { (0...count).map { Int32($0) * gap } }

  /// Costs of the reference with one token more.
  @inline(__always)
  private func advance(
    _ row: inout [Int32], _ token: Int32, _ hypothesis: [Int32],
    _ note: (Int, EditOperation) -> Void
  ) {
    var diagonal = row[0]
    row[0] += gap
    note(0, .deletion)
    row.withUnsafeMutableBufferPointer { row in
      for column in 1..<max(1, row.count) {
        let isSame = hypothesis[column - 1] == token
        var best = diagonal + (isSame ? 0 : substitution)
        var operation: EditOperation = isSame ? .match : .substitution
        if row[column - 1] + gap < best { (best, operation) = (row[column - 1] + gap, .insertion) }
        if row[column] + gap < best { (best, operation) = (row[column] + gap, .deletion) }
        diagonal = row[column]
        row[column] = best
        note(column, operation)
      }
    }
  }

  private func path(
    _ reference: ArraySlice<Int32>, _ hypothesis: ArraySlice<Int32>
  ) -> [EditOperation] {
    let columns = hypothesis.count + 1
    var table = [UInt8](
      repeating: EditOperation.insertion.rawValue, count: (reference.count + 1) * columns)
    var row = firstRow(hypothesis.count)
    let tokens = Array(hypothesis)
    table.withUnsafeMutableBufferPointer { table in
      for (index, token) in reference.enumerated() {
        let base = (index + 1) * columns
        advance(&row, token, tokens) { table[base + $0] = $1.rawValue }
      }
    }
    var operations: [EditOperation] = []
    var (r, h) = (reference.count, hypothesis.count)
    while r > 0 || h > 0 {
      let operation = EditOperation(rawValue: table[r * columns + h])!
      operations.append(operation)
      if operation.usesReference { r -= 1 }
      if operation.usesHypothesis { h -= 1 }
    }
    return operations.reversed()
  }
}
