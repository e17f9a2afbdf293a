/// For each token, the columns where the reference has it, as bits in blocks of 64.
///
/// A dense table where tokens are few (characters), else lists of places, so that the memory is
/// linear in the reference. Rows must be asked for from the top: places above the band are
/// forgotten.
struct MatchBits {
  /// Words of a dense table at most: 4 MiB.
  private static let denseLimit = 1 << 19

  private let blocks: Int
  /// Of each token number: its row in `table`, or the first of its places still in the band.
  private var first: [Int32]
  /// Of each place, the next with the same token.
  private var next: [Int32] = []
  private var table: [UInt64]
  private let isDense: Bool
  private var filled: [Int] = []

  /// - Parameter tokenCount: above every token number.
  init(_ reference: ArraySlice<Int32>, tokenCount: Int) {
    blocks = (reference.count + 63) / 64
    first = [Int32](repeating: -1, count: tokenCount)
    var distinct: Int32 = 0
    for token in reference where first[Int(token)] < 0 {
      first[Int(token)] = distinct
      distinct += 1
    }
    isDense = Int(distinct) * blocks <= Self.denseLimit
    if isDense {
      // One more row of zeros, for tokens that the reference lacks.
      table = [UInt64](repeating: 0, count: (Int(distinct) + 1) * blocks)
      for (column, token) in reference.enumerated() {
        table[Int(first[Int(token)]) * blocks + column / 64] |= 1 << UInt64(column % 64)
      }
      for token in first.indices where first[token] < 0 { first[token] = distinct }
    } else {
      table = [UInt64](repeating: 0, count: blocks)
      first = [Int32](repeating: -1, count: tokenCount)
      next = [Int32](repeating: -1, count: reference.count)
      for (column, token) in reference.enumerated().reversed() {
        next[column] = first[Int(token)]
        first[Int(token)] = Int32(column)
      }
    }
  }

  /// Calls `body` with the bits of every block, right within `range`.
  mutating func withRow(
    of token: Int32, blocks range: ClosedRange<Int>, _ body: (UnsafePointer<UInt64>) -> Void
  ) {
    guard !isDense else {
      let start = Int(first[Int(token)]) * blocks
      table.withUnsafeBufferPointer { body($0.baseAddress! + start) }
      return
    }
    while first[Int(token)] >= 0, Int(first[Int(token)]) < range.lowerBound * 64 {
      first[Int(token)] = next[Int(first[Int(token)])]
    }
    var column = Int(first[Int(token)])
    while column >= 0, column / 64 <= range.upperBound {
      table[column / 64] |= 1 << UInt64(column % 64)
      filled.append(column / 64)
      column = Int(next[column])
    }
    table.withUnsafeBufferPointer { body($0.baseAddress!) }
    for block in filled { table[block] = 0 }
    filled.removeAll(keepingCapacity: true)
  }
}
