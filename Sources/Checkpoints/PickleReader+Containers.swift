extension PickleReader {
  mutating func executeContainer(_ opcode: PickleOpcode) throws(CheckpointError) {
    switch opcode {
    case .emptyList: try pushList([])
    case .list: try pushList(try popToMark())
    case .append: try append([try pop()])
    case .appends: try append(try popToMark())
    case .emptyTuple: try pushTuple([])
    case .tuple: try pushTuple(try popToMark())
    case .tuple1: try pushTuple(try popLast(1))
    case .tuple2: try pushTuple(try popLast(2))
    case .tuple3: try pushTuple(try popLast(3))
    case .emptyDict: try pushDictionary([])
    case .dict: try pushDictionary(try popToMark())
    case .setitem: try setItems(try popLast(2))
    case .setitems: try setItems(try popToMark())
    default: preconditionFailure("\(opcode) makes no container")
    }
  }

  private mutating func popLast(_ count: Int) throws(CheckpointError) -> [Atom] {
    var atoms: [Atom] = []
    for _ in 0..<count { atoms.append(try pop()) }
    return atoms.reversed()
  }

  private mutating func pushList(_ atoms: [Atom]) throws(CheckpointError) {
    try push(.list(lists.count))
    lists.append(atoms)
  }

  private mutating func pushTuple(_ atoms: [Atom]) throws(CheckpointError) {
    try push(.tuple(tuples.count))
    tuples.append(atoms)
  }

  mutating func pushDictionary(_ atoms: [Atom]) throws(CheckpointError) {
    try push(.dictionary(dictionaries.count))
    dictionaries.append([])
    try setItems(atoms)
  }

  private mutating func append(_ atoms: [Atom]) throws(CheckpointError) {
    guard case .list(let index) = try top() else { throw damaged("an append to no list") }
    lists[index] += atoms
  }

  /// Puts keys and values, in turns, into the dictionary on top of the stack.
  private mutating func setItems(_ atoms: [Atom]) throws(CheckpointError) {
    guard case .dictionary(let index) = try top(), atoms.count % 2 == 0 else {
      throw damaged("items for no dictionary")
    }
    for item in stride(from: 0, to: atoms.count, by: 2) {
      dictionaries[index].append((key: atoms[item], value: atoms[item + 1]))
    }
  }

  /// The tree under `atom`. A container that holds itself, or one shared often enough to grow
  /// without end, meets the limits.
  func resolve(_ atom: Atom, depth: Int, count: inout Int) throws(CheckpointError) -> PickleValue {
    count += 1
    guard count <= limits.values, depth <= limits.depth else {
      throw .malformed(
        file: source,
        reason: "the pickle nests deeper than \(limits.depth) or holds more than "
          + "\(limits.values) values")
    }
    switch atom {
    case .none: return .none
    case .bool(let value): return .bool(value)
    case .int(let value): return .int(value)
    case .float(let value): return .float(value)
    case .string(let value): return .string(value)
    case .global(let value): return .global(value)
    case .storage(let value): return .storage(value)
    case .tensor(let value): return .tensor(value)
    case .list(let index):
      return .list(try resolve(lists[index], depth: depth + 1, count: &count))
    case .tuple(let index):
      return .tuple(try resolve(tuples[index], depth: depth + 1, count: &count))
    case .dictionary(let index):
      var entries: [PickleEntry] = []
      for (key, value) in dictionaries[index] {
        entries.append(
          PickleEntry(
            key: try resolve(key, depth: depth + 1, count: &count),
            value: try resolve(value, depth: depth + 1, count: &count)))
      }
      return .dictionary(entries)
    }
  }

  private func resolve(
    _ atoms: [Atom], depth: Int, count: inout Int
  ) throws(CheckpointError) -> [PickleValue] {
    var values: [PickleValue] = []
    for atom in atoms { values.append(try resolve(atom, depth: depth, count: &count)) }
    return values
  }
}
