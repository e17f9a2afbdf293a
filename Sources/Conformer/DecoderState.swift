/// What a decoder remembers of the hypotheses of a search: the self-attention keys and values of
/// every token read, in one pool, and for each hypothesis the list of its rows in the pool.
///
/// A fork copies only that list (4 bytes a token), never keys or values. The pool grows by a row
/// of `layers · 2 d` floats for each hypothesis of a step, so it is bounded by `maximumLength`
/// times the widest beam.
public struct DecoderState: Sendable {
  /// Most tokens of a hypothesis, the start token included.
  public let maximumLength: Int
  /// Utterance of each hypothesis.
  public private(set) var utterances: [Int]
  /// Keys and values of all layers. [pool rows, layers, 2 d]
  var pool: [Float] = []
  let rowFloats: Int
  /// Pool rows of each hypothesis' tokens. [hypotheses, maximumLength]
  private(set) var lineage: [Int32]
  /// The valid part of `lineage` of each hypothesis.
  private(set) var visible: [Range<Int>]
  private(set) var groups: [RowGroup]

  init(utterances: [Int], maximumLength: Int, rowFloats: Int) {
    precondition(maximumLength > 0)
    self.utterances = utterances
    self.maximumLength = maximumLength
    self.rowFloats = rowFloats
    lineage = Array(repeating: 0, count: utterances.count * maximumLength)
    visible = utterances.indices.map { $0 * maximumLength..<$0 * maximumLength }
    groups = RowGroup.groups(utterances)
  }

  /// Hypotheses.
  public var count: Int { visible.count }

  /// Tokens that a hypothesis has read, the start token included.
  public func length(_ hypothesis: Int) -> Int { visible[hypothesis].count }

  /// Bytes held.
  public var byteCount: Int {
    pool.capacity * MemoryLayout<Float>.stride + lineage.capacity * MemoryLayout<Int32>.stride
  }

  /// Replaces the hypotheses: the new one at index i continues the old one at `parents[i]`.
  /// Hypotheses may be repeated and left out. Those of one utterance are best kept together.
  public mutating func reorder(_ parents: [Int]) {
    var reordered = [Int32](repeating: 0, count: parents.count * maximumLength)
    var ranges: [Range<Int>] = []
    ranges.reserveCapacity(parents.count)
    for (index, parent) in parents.enumerated() {
      let (start, old) = (index * maximumLength, visible[parent])
      for offset in 0..<old.count { reordered[start + offset] = lineage[old.lowerBound + offset] }
      ranges.append(start..<start + old.count)
    }
    lineage = reordered
    visible = ranges
    utterances = parents.map { utterances[$0] }
    groups = RowGroup.groups(utterances)
  }

  /// Makes room in the pool for one more token of every hypothesis.
  mutating func appendRows() {
    let first = pool.count / rowFloats
    pool.append(contentsOf: repeatElement(0, count: count * rowFloats))
    for index in visible.indices {
      let range = visible[index]
      precondition(
        range.count < maximumLength, "hypothesis \(index) has its \(maximumLength) tokens already")
      lineage[range.upperBound] = Int32(first + index)
      visible[index] = range.lowerBound..<range.upperBound + 1
    }
  }
}
