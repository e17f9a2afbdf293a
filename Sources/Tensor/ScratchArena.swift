/// Memory for the intermediate matrices of one step, handed out in order and taken back at once.
///
/// After the largest step so far it allocates no more. One arena serves one thread; any number of
/// streams that step on that thread may share it.
public final class ScratchArena {
  private var slabs: [FloatStorage] = []
  private var slab = 0
  private var offset = 0
  /// Where the time of the stages that use this arena is added up, if somebody asks.
  public var stageTimes: StageTimes?

  public init() {}

  /// A matrix of unspecified content, valid until the enclosing `scope` ends.
  public func matrix(rows: Int, columns: Int) -> MatrixView {
    // Rows of 16 floats keep every matrix on a 64-byte boundary.
    let count = (rows * columns + 15) / 16 * 16
    while slab < slabs.count, offset + count > slabs[slab].count {
      slab += 1
      offset = 0
    }
    if slab == slabs.count {
      slabs.append(FloatStorage(count: max(count, 1 << 16)))
      offset = 0
    }
    defer { offset += count }
    return MatrixView(slabs[slab].pointer + offset, rows: rows, columns: columns)
  }

  /// Runs `body` and takes back every matrix that it was handed.
  public func scope<Result>(_ body: () throws -> Result) rethrows -> Result {
    let mark = (slab, offset)
    defer { (slab, offset) = mark }
    return try body()
  }

  /// Runs `body`, its time counted as `stage`'s. Stages do not nest.
  public func timed<Result>(
    _ stage: StageTimes.Stage, _ body: () throws -> Result
  ) rethrows -> Result {
    guard let stageTimes else { return try body() }
    return try stageTimes.measure(stage, body)
  }

  /// Bytes held.
  public var byteCount: Int { slabs.reduce(0) { $0 + $1.count } * MemoryLayout<Float>.stride }
}
