/// Token sequences as a tree: a node is a sequence, its parent the sequence without the last token.
///
/// Nodes are numbered in the order of their making, so a parent's number is lower than its
/// children's. Children are found by hashing (parent, token).
struct PrefixTrie: Sendable {
  static let root = 0

  private struct Node: Sendable {
    var parent: Int32
    var token: Int32
    var depth: Int32
  }

  private var nodes = [Node(parent: -1, token: -1, depth: 0)]
  /// Open-addressed table of nodes; −1 is empty. Its size is a power of two.
  private var table = [Int32](repeating: -1, count: 64)

  var count: Int { nodes.count }

  func parent(_ node: Int) -> Int { Int(nodes[node].parent) }

  /// Last token of the sequence; −1 for the empty one.
  func token(_ node: Int) -> Int { Int(nodes[node].token) }

  /// Length of the sequence.
  func depth(_ node: Int) -> Int { Int(nodes[node].depth) }

  func tokens(_ node: Int) -> [Int] {
    var tokens: [Int] = []
    var node = node
    while node != Self.root {
      tokens.append(token(node))
      node = parent(node)
    }
    return tokens.reversed()
  }

  /// The sequence of `node` and then `token`, if it is in the tree.
  func child(_ node: Int, _ token: Int) -> Int? {
    let found = table[place(node, token)]
    return found < 0 ? nil : Int(found)
  }

  /// Adds the sequence of `node` and then `token`, which must not be in the tree.
  mutating func add(_ node: Int, _ token: Int) -> Int {
    let new = nodes.count
    nodes.append(
      Node(parent: Int32(node), token: Int32(token), depth: nodes[node].depth + 1))
    if nodes.count * 2 > table.count {
      rebuildTable(table.count * 2)
    } else {
      table[place(node, token)] = Int32(new)
    }
    return new
  }

  /// The longest sequence that both begin with.
  func commonPrefix(_ a: Int, _ b: Int) -> Int {
    var (a, b) = (a, b)
    // A parent's number is lower, so the higher one cannot be an ancestor of the other.
    while a != b { if a > b { a = parent(a) } else { b = parent(b) } }
    return a
  }

  /// Drops every node that is neither in `kept` nor an ancestor of one that is.
  ///
  /// - Returns: the new number of each old node, −1 for the dropped. The order is kept.
  mutating func compact(keeping kept: some Sequence<Int>) -> [Int] {
    var renumbered = [Int](repeating: -1, count: nodes.count)
    renumbered[Self.root] = 0
    for var node in kept {
      while renumbered[node] < 0 {
        renumbered[node] = 0
        node = parent(node)
      }
    }
    var next = 0
    for old in nodes.indices where renumbered[old] == 0 {
      renumbered[old] = next
      nodes[next] = nodes[old]
      if next > 0 { nodes[next].parent = Int32(renumbered[Int(nodes[old].parent)]) }
      next += 1
    }
    nodes.removeSubrange(next...)
    var size = 64
    while nodes.count * 2 > size { size *= 2 }
    rebuildTable(size)
    return renumbered
  }

  private mutating func rebuildTable(_ size: Int) {
    table = [Int32](repeating: -1, count: size)
    for node in nodes.indices.dropFirst() {
      table[place(parent(node), token(node))] = Int32(node)
    }
  }

  /// Where the child is in the table, or where it would be put.
  private func place(_ node: Int, _ token: Int) -> Int {
    var hash = (UInt64(node) << 32 | UInt64(token)) &* 0x9E37_79B9_7F4A_7C15
    hash ^= hash >> 29
    let mask = table.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while table[place] >= 0 {
      let found = nodes[Int(table[place])]
      if Int(found.parent) == node, Int(found.token) == token { break }
      place = (place + 1) & mask
    }
    return place
  }
}
