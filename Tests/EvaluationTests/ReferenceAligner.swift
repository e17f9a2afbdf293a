import Evaluation

/// The whole table of costs, as a textbook has it: slow, and plainly right.
struct ReferenceAligner {
  var substitution = 1
  var gap = 1

  /// Least cost of making `hypothesis` of `reference`.
  func cost(_ reference: [Int32], _ hypothesis: [Int32]) -> Int {
    var row = (0...hypothesis.count).map { $0 * gap }
    for token in reference {
      var next = [row[0] + gap]
      for (column, other) in hypothesis.enumerated() {
        next.append(
          min(
            row[column] + (token == other ? 0 : substitution), row[column + 1] + gap,
            next[column] + gap))
      }
      row = next
    }
    return row[hypothesis.count]
  }

  func cost(_ counts: ErrorCounts) -> Int {
    counts.substitutions * substitution + (counts.deletions + counts.insertions) * gap
  }
}

/// Whether the operations make `hypothesis` of `reference`, with matches only where tokens are equal
/// and substitutions only where they differ.
func isAlignment(
  _ operations: [EditOperation], _ reference: [Int32], _ hypothesis: [Int32]
) -> Bool {
  var (r, h) = (0, 0)
  for operation in operations {
    if operation.usesReference, r >= reference.count { return false }
    if operation.usesHypothesis, h >= hypothesis.count { return false }
    if operation == .match, reference[r] != hypothesis[h] { return false }
    if operation == .substitution, reference[r] == hypothesis[h] { return false }
    if operation.usesReference { r += 1 }
    if operation.usesHypothesis { h += 1 }
  }
  return r == reference.count && h == hypothesis.count
}
