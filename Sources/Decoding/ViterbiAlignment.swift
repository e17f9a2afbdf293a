/// When the tokens of a prefix sounded on its best path.
///
/// The last token is held here; those before it are a chain of cells that alignments share, so to
/// extend or to move a token copies no list.
struct ViterbiAlignment: Sendable {
  /// Cell of the token before the last; −1 for none.
  var rest: Int32 = -1
  /// Frame of the last token; −1 where there is no token.
  var frame: Int32 = -1
  /// Highest log-probability of the last token.
  var logProb: Float = 0
  /// Cell of this alignment once it has one.
  var cell: Int32 = -1
}

/// The cells of all alignments of one search.
struct AlignmentCells: Sendable {
  private struct Cell: Sendable {
    var rest: Int32
    var frame: Int32
    var logProb: Float
  }

  private var cells: [Cell] = []

  var count: Int { cells.count }

  /// Gives an alignment its cell, so that it can be extended.
  mutating func store(_ alignment: inout ViterbiAlignment) {
    guard alignment.frame >= 0, alignment.cell < 0 else { return }
    alignment.cell = Int32(cells.count)
    cells.append(
      Cell(rest: alignment.rest, frame: alignment.frame, logProb: alignment.logProb))
  }

  /// Tokens of the prefix `ids` with their times.
  func tokens(_ ids: [Int], _ alignment: ViterbiAlignment) -> [DecodedToken] {
    var tokens = ids.map { DecodedToken(id: $0, frame: 0, logProb: 0) }
    var last = Cell(rest: alignment.rest, frame: alignment.frame, logProb: alignment.logProb)
    for index in tokens.indices.reversed() {
      tokens[index].frame = Int(last.frame)
      tokens[index].logProb = last.logProb
      // Only numbers that are none can have broken the chain.
      if index > 0, last.rest >= 0 { last = cells[Int(last.rest)] }
    }
    return tokens
  }

  /// Drops the cells that no alignment reaches.
  ///
  /// - Returns: the new number of each old cell, −1 for the dropped.
  mutating func compact(keeping alignments: some Sequence<ViterbiAlignment>) -> [Int32] {
    var renumbered = [Int32](repeating: -1, count: cells.count)
    for alignment in alignments {
      for var cell in [alignment.rest, alignment.cell] {
        while cell >= 0, renumbered[Int(cell)] < 0 {
          renumbered[Int(cell)] = 0
          cell = cells[Int(cell)].rest
        }
      }
    }
    var next = 0
    for old in cells.indices where renumbered[old] == 0 {
      renumbered[old] = Int32(next)
      cells[next] = cells[old]
      let rest = cells[next].rest
      if rest >= 0 { cells[next].rest = renumbered[Int(rest)] }
      next += 1
    }
    cells.removeSubrange(next...)
    return renumbered
  }
}

extension ViterbiAlignment {
  /// The alignment, stored before, with one more token.
  func extended(frame: Int, logProb: Float) -> ViterbiAlignment {
    ViterbiAlignment(rest: cell, frame: Int32(frame), logProb: logProb)
  }

  mutating func renumber(_ cells: [Int32]) {
    if rest >= 0 { rest = cells[Int(rest)] }
    if cell >= 0 { cell = cells[Int(cell)] }
  }
}
