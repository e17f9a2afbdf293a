/// The part of the table of edit distances that a path with at most `limit` errors can visit,
/// in whole blocks of 64 reference tokens.
///
/// The table has a row for each hypothesis token and a column for each reference token, both from
/// 1. A path with d deletions and i insertions stays where -i <= column - row <= d; with n columns
/// and m rows d - i = n - m, and d + i <= limit.
struct EditBand {
  let columns: Int
  private let deletions: Int
  private let insertions: Int

  init(columns: Int, rows: Int, limit: Int) {
    precondition(limit >= abs(columns - rows))
    self.columns = columns
    deletions = (limit + columns - rows) / 2
    insertions = (limit - columns + rows) / 2
  }

  func firstBlock(row: Int) -> Int { (max(1, row - insertions) - 1) / 64 }
  func lastBlock(row: Int) -> Int { (min(columns, row + deletions) - 1) / 64 }

  /// Most blocks of any row.
  var width: Int { min((columns + 63) / 64, (deletions + insertions) / 64 + 2) }
}
