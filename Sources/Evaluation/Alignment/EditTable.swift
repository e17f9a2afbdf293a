/// Rows of the table of edit distances between a reference (columns) and a hypothesis (rows),
/// within a band. A row is kept as the differences of neighbouring columns, 64 in a word (Myers
/// 1999 in Hyyrö's form, 2003).
///
/// Outside the band distances count as growing by one with each step, so nothing within is ever
/// too small, and what is on a path within the band is exact.
struct EditTable {
  let band: EditBand
  /// Where the distance is one more than in the column before; `[block]`.
  private(set) var plus: [UInt64]
  /// Where it is one less.
  private(set) var minus: [UInt64]
  /// Distance in the column before the band's first block.
  private(set) var start = 0
  private(set) var row = 0
  private var firstBlock = 0
  private var lastBlock = -1
  /// `plus` and `minus` of every row so far, `band.width` blocks a row; empty unless kept.
  private var keptPlus: [UInt64] = []
  private var keptMinus: [UInt64] = []
  private let keeps: Bool

  init(band: EditBand, rows: Int, keeps: Bool) {
    self.band = band
    self.keeps = keeps
    let blocks = (band.columns + 63) / 64
    plus = [UInt64](repeating: ~0, count: blocks)
    minus = [UInt64](repeating: 0, count: blocks)
    if keeps {
      keptPlus = [UInt64](repeating: 0, count: rows * band.width)
      keptMinus = [UInt64](repeating: 0, count: rows * band.width)
    }
  }

  /// Goes one row down, to the hypothesis's next token.
  mutating func advance(_ token: Int32, _ matches: inout MatchBits) {
    row += 1
    let first = band.firstBlock(row: row)
    let last = band.lastBlock(row: row)
    for block in firstBlock..<first {
      start += plus[block].nonzeroBitCount - minus[block].nonzeroBitCount
    }
    (firstBlock, lastBlock) = (first, last)
    start += 1
    plus.withUnsafeMutableBufferPointer { plus in
      minus.withUnsafeMutableBufferPointer { minus in
        matches.withRow(of: token, blocks: first...last) { row in
          var carryPlus: UInt64 = 1
          var carryMinus: UInt64 = 0
          for block in first...last {
            let equal = row[block] | carryMinus
            let (vp, vn) = (plus[block], minus[block])
            let zero = (((equal & vp) &+ vp) ^ vp) | equal | vn
            var hp = vn | ~(zero | vp)
            var hn = zero & vp
            let (outPlus, outMinus) = (hp >> 63, hn >> 63)
            hp = hp << 1 | carryPlus
            hn = hn << 1 | carryMinus
            plus[block] = hn | ~(zero | hp)
            minus[block] = hp & zero
            (carryPlus, carryMinus) = (outPlus, outMinus)
          }
        }
      }
    }
    if keeps { keep() }
  }

  private mutating func keep() {
    let base = (row - 1) * band.width
    for block in firstBlock...lastBlock {
      keptPlus[base + block - firstBlock] = plus[block]
      keptMinus[base + block - firstBlock] = minus[block]
    }
  }

  /// Distances of the current row, from column `firstColumn` to the last one in the band.
  var distances: (firstColumn: Int, values: [Int]) {
    var value = start
    var values = [value]
    for column in firstBlock * 64..<max(firstBlock * 64, min(band.columns, (lastBlock + 1) * 64)) {
      let (block, bit) = (column / 64, UInt64(column % 64))
      value += Int(plus[block] >> bit & 1) - Int(minus[block] >> bit & 1)
      values.append(value)
    }
    return (firstBlock * 64, values)
  }

  /// Distance in the last column of the current row, which must be in the band.
  var distance: Int {
    var value = start
    for block in firstBlock...lastBlock {
      let used = min(64, band.columns - block * 64)
      let mask: UInt64 = used == 64 ? ~0 : 1 << UInt64(used) - 1
      value += (plus[block] & mask).nonzeroBitCount - (minus[block] & mask).nonzeroBitCount
    }
    return value
  }

  /// Whether a kept row's distance is one more than in the column before. Both from 1.
  func isPlus(row: Int, column: Int) -> Bool {
    // Beyond the band's end the distance grows by one.
    place(row, column).map { keptPlus[$0] >> UInt64((column - 1) % 64) & 1 == 1 } ?? true
  }

  /// Whether it is one less.
  func isMinus(row: Int, column: Int) -> Bool {
    place(row, column).map { keptMinus[$0] >> UInt64((column - 1) % 64) & 1 == 1 } ?? false
  }

  private func place(_ row: Int, _ column: Int) -> Int? {
    let block = (column - 1) / 64
    guard block <= band.lastBlock(row: row) else { return nil }
    return (row - 1) * band.width + block - band.firstBlock(row: row)
  }
}
