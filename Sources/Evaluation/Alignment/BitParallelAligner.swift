/// Alignments with the fewest errors, by rows of bits; see `AlignmentRule.levenshtein`.
struct BitParallelAligner {
  /// Words of a kept table at most: two tables of 8 MiB.
  private static let tableLimit = 1 << 20
  /// Of each token number, its number within the pair at hand; -1 between pairs.
  private var local: [Int32] = []

  mutating func align(
    _ reference: ArraySlice<Int32>, _ hypothesis: ArraySlice<Int32>
  ) -> [EditOperation] {
    var operations: [EditOperation] = []
    operations.reserveCapacity(max(reference.count, hypothesis.count))
    let pair = renumbered(reference, hypothesis)
    Self.append(pair.reference[...], pair.hypothesis[...], pair.count, limit: nil, &operations)
    return operations
  }

  /// The pair in numbers from 0 to `count` - 1, so that tables are as small as the pair.
  private mutating func renumbered(
    _ reference: ArraySlice<Int32>, _ hypothesis: ArraySlice<Int32>
  ) -> (reference: [Int32], hypothesis: [Int32], count: Int) {
    var count: Int32 = 0
    func number(_ token: Int32) -> Int32 {
      let token = Int(token)
      if token >= local.count {
        local += [Int32](repeating: -1, count: max(token + 1, 2 * local.count) - local.count)
      }
      if local[token] < 0 {
        local[token] = count
        count += 1
      }
      return local[token]
    }
    let numbers = (reference.map(number), hypothesis.map(number))
    for token in reference { local[Int(token)] = -1 }
    for token in hypothesis { local[Int(token)] = -1 }
    return (numbers.0, numbers.1, Int(count))
  }

  /// - Parameter limit: the number of errors, if it is known.
  private static func append(
    _ reference: ArraySlice<Int32>, _ hypothesis: ArraySlice<Int32>, _ tokenCount: Int,
    limit: Int?, _ operations: inout [EditOperation]
  ) {
    let start = zip(reference, hypothesis).prefix { $0 == $1 }.count
    let (restR, restH) = (reference.dropFirst(start), hypothesis.dropFirst(start))
    let end = zip(restR.reversed(), restH.reversed()).prefix { $0 == $1 }.count
    operations.append(contentsOf: repeatElement(.match, count: start))
    appendMiddle(restR.dropLast(end), restH.dropLast(end), tokenCount, limit, &operations)
    operations.append(contentsOf: repeatElement(.match, count: end))
  }

  private static func appendMiddle(
    _ reference: ArraySlice<Int32>, _ hypothesis: ArraySlice<Int32>, _ tokenCount: Int,
    _ known: Int?, _ operations: inout [EditOperation]
  ) {
    guard !reference.isEmpty, !hypothesis.isEmpty else {
      operations.append(contentsOf: repeatElement(.deletion, count: reference.count))
      operations.append(contentsOf: repeatElement(.insertion, count: hypothesis.count))
      return
    }
    let most = max(reference.count, hypothesis.count)
    let least = abs(reference.count - hypothesis.count)
    var limit = min(most, max(known ?? 64, least))
    while true {
      let band = EditBand(columns: reference.count, rows: hypothesis.count, limit: limit)
      // One row alone cannot be halved.
      let keeps = hypothesis.count < 2 || hypothesis.count * band.width <= tableLimit
      if keeps || known == nil {
        let table = table(reference, hypothesis, tokenCount, band, keeps: keeps)
        let distance = table.distance
        guard distance <= limit else {
          limit = min(most, 2 * limit)
          continue
        }
        guard !keeps else {
          operations += path(table, reference, hypothesis)
          return
        }
        limit = distance
      }
      return appendHalves(reference, hypothesis, tokenCount, limit, &operations)
    }
  }

  private static func table(
    _ reference: ArraySlice<Int32>, _ hypothesis: some Collection<Int32>, _ tokenCount: Int,
    _ band: EditBand, keeps: Bool
  ) -> EditTable {
    var matches = MatchBits(reference, tokenCount: tokenCount)
    var table = EditTable(band: band, rows: hypothesis.count, keeps: keeps)
    for token in hypothesis { table.advance(token, &matches) }
    return table
  }

  /// Divides both texts where the best path crosses the middle of the hypothesis.
  private static func appendHalves(
    _ reference: ArraySlice<Int32>, _ hypothesis: ArraySlice<Int32>, _ tokenCount: Int,
    _ distance: Int, _ operations: inout [EditOperation]
  ) {
    let middle = hypothesis.count / 2
    let (upper, lower) = (hypothesis.prefix(middle), hypothesis.dropFirst(middle))
    let band = EditBand(columns: reference.count, rows: hypothesis.count, limit: distance)
    let above = table(reference, upper, tokenCount, band, keeps: false).distances
    let reversed = ArraySlice(reference.reversed())
    let below = table(reversed, lower.reversed(), tokenCount, band, keeps: false).distances
    var best = (column: -1, above: 0, below: 0)
    for (offset, value) in above.values.enumerated() {
      let column = above.firstColumn + offset
      let opposite = reference.count - column - below.firstColumn
      guard below.values.indices.contains(opposite) else { continue }
      let sum = value + below.values[opposite]
      if best.column < 0 || sum < best.above + best.below {
        best = (column, value, below.values[opposite])
      }
    }
    precondition(
      best.above + best.below == distance, "the halves must have the errors of the whole")
    append(reference.prefix(best.column), upper, tokenCount, limit: best.above, &operations)
    append(reference.dropFirst(best.column), lower, tokenCount, limit: best.below, &operations)
  }

  /// Reads a kept table from its end.
  private static func path(
    _ table: EditTable, _ reference: ArraySlice<Int32>, _ hypothesis: ArraySlice<Int32>
  ) -> [EditOperation] {
    var operations: [EditOperation] = []
    var (row, column) = (hypothesis.count, reference.count)
    while row > 0, column > 0 {
      if table.isPlus(row: row, column: column) {
        operations.append(.deletion)
        column -= 1
      } else if row > 1, table.isMinus(row: row - 1, column: column) {
        operations.append(.insertion)
        row -= 1
      } else {
        row -= 1
        column -= 1
        let isSame =
          reference[reference.startIndex + column] == hypothesis[hypothesis.startIndex + row]
        operations.append(isSame ? .match : .substitution)
      }
    }
    operations.append(contentsOf: repeatElement(.deletion, count: column))
    operations.append(contentsOf: repeatElement(.insertion, count: row))
    return operations.reversed()
  }
}
