/// A tree of sequences of numbers: a node is a sequence, its child that sequence and one more.
///
/// Node 0 is the empty sequence; a parent's number is lower than its children's. All edges lie in
/// one hash table of node numbers, so a node costs some 16 bytes.
struct SequenceTrie: Sendable {
  static let root = 0
  /// Nodes are 32-bit numbers.
  static let nodeLimit = Int(Int32.max)

  private var parents: [Int32] = [0]
  private var symbols: [Int32] = [-1]
  /// Open addressing; 0 is an empty slot, for the root is no child.
  private var slots: [Int32]
  private var shift: UInt64

  init() {
    slots = Array(repeating: 0, count: 16)
    shift = 64 - 4
  }

  var count: Int { parents.count }

  func parent(of node: Int) -> Int { Int(parents[node]) }

  /// The last number of the sequence `node`; -1 for the root.
  func symbol(of node: Int) -> Int { Int(symbols[node]) }

  func child(of node: Int, _ symbol: Int) -> Int? {
    let found = Int(slots[slot(node, symbol)])
    return found == 0 ? nil : found
  }

  /// The child of `node`, made if it is missing.
  mutating func insert(_ symbol: Int, after node: Int) -> (node: Int, isNew: Bool) {
    var place = slot(node, symbol)
    if slots[place] != 0 { return (Int(slots[place]), false) }
    precondition(count < Self.nodeLimit)
    if (count + 1) * 3 > slots.count * 2 {
      grow()
      place = slot(node, symbol)
    }
    slots[place] = Int32(count)
    parents.append(Int32(node))
    symbols.append(Int32(symbol))
    return (count - 1, true)
  }

  mutating func reserve(_ nodes: Int) {
    parents.reserveCapacity(nodes)
    symbols.reserveCapacity(nodes)
  }

  /// The length of each sequence.
  func depths() -> [UInt16] {
    var depths: [UInt16] = Array(repeating: 0, count: count)
    for node in 1..<max(count, 1) { depths[node] = depths[Int(parents[node])] + 1 }
    return depths
  }

  /// For each node its longest proper suffix that is a node, the root's being the root.
  func suffixes(_ depths: [UInt16]) -> [Int32] {
    var links: [Int32] = Array(repeating: 0, count: count)
    for node in byDepth(depths) where depths[Int(node)] > 1 {
      let shorter = Int(links[Int(parents[Int(node)])])
      links[Int(node)] = Int32(descend(from: shorter, Int(symbols[Int(node)]), links))
    }
    return links
  }

  /// All nodes, short sequences before long ones.
  func byDepth(_ depths: [UInt16]) -> [Int32] {
    var ends = Array(repeating: 0, count: Int(depths.max() ?? 0) + 2)
    for depth in depths { ends[Int(depth) + 1] += 1 }
    for depth in 1..<ends.count { ends[depth] += ends[depth - 1] }
    var order: [Int32] = Array(repeating: 0, count: count)
    for node in 0..<count {
      order[ends[Int(depths[node])]] = Int32(node)
      ends[Int(depths[node])] += 1
    }
    return order
  }

  /// The longest suffix of the sequence `node` and `symbol` that is a node.
  ///
  /// - Parameter links: those of `suffixes`.
  func descend(from node: Int, _ symbol: Int, _ links: [Int32]) -> Int {
    var node = node
    while true {
      if let child = child(of: node, symbol) { return child }
      if node == Self.root { return Self.root }
      node = Int(links[node])
    }
  }

  /// Where the child is, or where it would be put.
  private func slot(_ node: Int, _ symbol: Int) -> Int {
    let key = UInt64(truncatingIfNeeded: node) << 32 | UInt64(UInt32(truncatingIfNeeded: symbol))
    // The high half of a product depends on all of the key; xor brings the node down first.
    var place = Int(((key ^ key >> 29) &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while true {
      let candidate = Int(slots[place])
      if candidate == 0 { return place }
      if parents[candidate] == node, symbols[candidate] == symbol { return place }
      place = (place + 1) & (slots.count - 1)
    }
  }

  private mutating func grow() {
    slots = Array(repeating: 0, count: slots.count * 2)
    shift -= 1
    for node in 1..<count {
      slots[slot(Int(parents[node]), Int(symbols[node]))] = Int32(node)
    }
  }
}
