import Foundation
import Synchronization
import Tensor

/// Projected relative positions `W_p PE(r)` of every layer, for |r| < reach, kept transposed and
/// in descending order of r: [layers][d, 2 · reach - 1], column of r = reach - 1 - r.
///
/// In this order the positions of one query's keys are consecutive columns.
final class RelativePositions: Sendable {
  let reach: Int
  private let width: Int
  private let layers: [FloatStorage]

  init(reach: Int, projections: [Linear]) {
    self.reach = reach
    width = projections[0].inputs
    let (width, count) = (width, 2 * reach - 1)
    let encodings = FloatStorage(count: count * width)
    for column in 0..<count {
      SinusoidalPositions.encode(
        reach - 1 - column, width: width, into: encodings.pointer + column * width)
    }
    layers = projections.map { projection in
      let projected = FloatStorage(count: count * width)
      projection.apply(encodings.view(columns: width), into: projected.view(columns: width))
      let transposed = FloatStorage(count: count * width + AttentionMemory.positionPadding)
      for column in 0..<count {
        for index in 0..<width {
          transposed.pointer[index * count + column] = projected.pointer[column * width + index]
        }
      }
      return transposed
    }
  }

  /// Positions of a block of `queries` rows against `cached` keys and then its own:
  /// [d, cached + 2 · queries - 1]. Column `queries - 1 - i + j` belongs to query i and key j.
  func columns(layer: Int, queries: Int, cached: Int) -> MatrixView {
    let first = reach - (cached + queries)
    return MatrixView(layers[layer].pointer, rows: width, columns: 2 * reach - 1)
      .columns(first..<first + cached + 2 * queries - 1)
  }
}

/// The table of relative positions that all streams of a model share, made longer when one of them
/// needs it.
final class RelativePositionCache: Sendable {
  private let projections: [Linear]
  private let table = Mutex<RelativePositions?>(nil)

  init(projections: [Linear]) { self.projections = projections }

  /// A table for |r| < `reach` at least.
  func positions(reach: Int) -> RelativePositions {
    table.withLock { table in
      if let table, table.reach >= reach { return table }
      // One that grows does so in few steps.
      let longer = table.map { max(reach, min(2 * $0.reach, 1024)) } ?? reach
      let new = RelativePositions(reach: longer, projections: projections)
      table = new
      return new
    }
  }
}
