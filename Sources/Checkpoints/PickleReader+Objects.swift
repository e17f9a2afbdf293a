extension PickleReader {
  mutating func executeObject(_ opcode: PickleOpcode) throws(CheckpointError) {
    switch opcode {
    case .global:
      let module = try cursor.line()
      try pushGlobal(module: module, name: try cursor.line())
    case .stackGlobal:
      guard case .string(let name) = try pop(), case .string(let module) = try pop() else {
        throw damaged("a global without a name")
      }
      try pushGlobal(module: module, name: name)
    case .binpersid: try pushStorage(try pop())
    case .reduce: try reduce()
    case .build:
      // Attributes of an OrderedDict: torch's version numbers, of no use here.
      _ = try pop()
      guard case .dictionary = try top() else {
        throw .refused(file: source, action: "sets the state of an object")
      }
    default: preconditionFailure("\(opcode) makes no object")
    }
  }

  private mutating func pushGlobal(module: String, name: String) throws(CheckpointError) {
    guard let global = PickleGlobal(module: module, name: name) else {
      let shown = CheckpointError.printable("\(module).\(name)")
      throw .refused(file: source, action: "calls '\(shown)'")
    }
    try push(.global(global))
  }

  /// `("storage", torch.HalfStorage, key, device, elements)`.
  private mutating func pushStorage(_ id: Atom) throws(CheckpointError) {
    guard case .tuple(let index) = id, tuples[index].count == 5 else {
      throw damaged("a storage is described wrongly")
    }
    let parts = tuples[index]
    guard case .string("storage") = parts[0], case .global(.storage(let type)) = parts[1],
      case .string(let key) = parts[2], case .int(let count) = parts[4], count >= 0
    else { throw damaged("a storage is described wrongly") }
    try push(.storage(PickledStorage(type: type, key: key, count: count)))
  }

  private mutating func reduce() throws(CheckpointError) {
    guard case .tuple(let index) = try pop() else { throw damaged("arguments are no tuple") }
    let arguments = tuples[index]
    guard case .global(let callable) = try pop() else {
      throw .refused(file: source, action: "calls a value")
    }
    switch callable {
    case .orderedDictionary: try pushOrderedDictionary(arguments)
    case .rebuildTensor: try pushTensor(arguments)
    case .rebuildParameter:
      guard case .tensor(let tensor)? = arguments.first else {
        throw damaged("a parameter without a tensor")
      }
      try push(.tensor(tensor))
    case .storage(let type):
      throw .refused(file: source, action: "calls 'torch.\(type.rawValue)Storage'")
    }
  }

  /// `OrderedDict()` or, from Python 2, `OrderedDict([[key, value], …])`.
  private mutating func pushOrderedDictionary(_ arguments: [Atom]) throws(CheckpointError) {
    var items: [Atom] = []
    if let first = arguments.first {
      guard case .list(let index) = first, arguments.count == 1 else {
        throw damaged("an OrderedDict is described wrongly")
      }
      for pair in lists[index] {
        switch pair {
        case .list(let item) where lists[item].count == 2: items += lists[item]
        case .tuple(let item) where tuples[item].count == 2: items += tuples[item]
        default: throw damaged("an OrderedDict is described wrongly")
        }
      }
    }
    try count(items.count)
    try pushDictionary(items)
  }

  /// `(storage, offset, size, stride, requires_grad, hooks[, metadata])`.
  private mutating func pushTensor(_ arguments: [Atom]) throws(CheckpointError) {
    guard (6...7).contains(arguments.count), case .storage(let storage) = arguments[0],
      case .int(let offset) = arguments[1]
    else { throw damaged("a tensor is described wrongly") }
    try push(
      .tensor(
        PickledTensor(
          storage: storage, offset: offset, shape: try integers(arguments[2]),
          strides: try integers(arguments[3]))))
  }

  private func integers(_ atom: Atom) throws(CheckpointError) -> [Int] {
    guard case .tuple(let index) = atom, tuples[index].count <= limits.rank else {
      throw damaged("a tensor's size is no tuple of at most \(limits.rank) numbers")
    }
    var integers: [Int] = []
    for element in tuples[index] {
      guard case .int(let value) = element else { throw damaged("a tensor's size is no integer") }
      integers.append(value)
    }
    return integers
  }
}
