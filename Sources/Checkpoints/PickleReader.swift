/// Reads the pickle of a torch state dict without Python and without running anything.
///
/// A pickle is a program for a small stack machine that may import and call any Python function.
/// This reader knows the opcodes and the four kinds of names that a state dict needs, turns them
/// into plain values, and refuses the rest by name.
package struct PickleReader {
  package struct Limits: Sendable {
    package var bytes = 64 << 20
    /// Values, those on the stack, in the memo and in containers taken together.
    package var values = 4 << 20
    /// Axes of a tensor.
    package var rank = 16
    /// Containers inside containers.
    package var depth = 32

    package init() {}
  }

  /// A value on the stack. Containers live in the reader's tables and are named by index, so that
  /// a memo can hold one that still grows, and none is ever nested inside another in memory.
  enum Atom {
    case none
    case bool(Bool)
    case int(Int)
    case float(Double)
    case string(String)
    case global(PickleGlobal)
    case list(Int)
    case tuple(Int)
    case dictionary(Int)
    case storage(PickledStorage)
    case tensor(PickledTensor)
  }

  let source: String
  let limits: Limits
  var cursor: PickleCursor
  var stack: [Atom] = []
  /// Heights of the stack at each open MARK.
  private var marks: [Int] = []
  private var memo: [Int: Atom] = [:]
  var lists: [[Atom]] = []
  var tuples: [[Atom]] = []
  var dictionaries: [[(key: Atom, value: Atom)]] = []
  private var values = 0

  /// The value that `bytes` describe. `source` is what error messages call them.
  package static func read(
    _ bytes: [UInt8], source: String, limits: Limits = Limits()
  ) throws(CheckpointError) -> PickleValue {
    guard bytes.count <= limits.bytes else {
      throw .malformed(file: source, reason: "the pickle is larger than \(limits.bytes) bytes")
    }
    var reader = PickleReader(
      source: source, limits: limits, cursor: PickleCursor(bytes: bytes, source: source))
    let root = try reader.run()
    var count = 0
    return try reader.resolve(root, depth: 0, count: &count)
  }

  private init(source: String, limits: Limits, cursor: PickleCursor) {
    self.source = source
    self.limits = limits
    self.cursor = cursor
  }

  private mutating func run() throws(CheckpointError) -> Atom {
    while true {
      let code = try cursor.byte()
      guard let opcode = PickleOpcode(rawValue: code) else { throw try refusal(code) }
      if opcode == .stop {
        guard stack.count == 1, marks.isEmpty else { throw damaged("values are left over") }
        return stack[0]
      }
      try execute(opcode)
    }
  }

  private mutating func execute(_ opcode: PickleOpcode) throws(CheckpointError) {
    switch opcode {
    case .proto:
      guard try cursor.byte() <= 5 else { throw damaged("its protocol is newer than 5") }
    case .frame: _ = try cursor.integer(bytes: 8)
    case .mark:
      try count(1)
      marks.append(stack.count)
    case .binput: try remember(as: Int(try cursor.byte()))
    case .longBinput: try remember(as: try cursor.integer(bytes: 4))
    case .memoize: try remember(as: memo.count)
    case .binget: try recall(Int(try cursor.byte()))
    case .longBinget: try recall(try cursor.integer(bytes: 4))
    case .none, .newtrue, .newfalse, .binint, .binint1, .binint2, .long1, .binfloat, .binstring,
      .shortBinstring, .binunicode, .shortBinunicode:
      try push(try cursor.scalar(opcode))
    case .emptyList, .list, .append, .appends, .emptyTuple, .tuple, .tuple1, .tuple2, .tuple3,
      .emptyDict, .dict, .setitem, .setitems:
      try executeContainer(opcode)
    case .global, .stackGlobal, .binpersid, .reduce, .build:
      try executeObject(opcode)
    case .stop: preconditionFailure("run() ends at STOP")
    }
  }

  /// Names the callable of an INST, which is text after the opcode, and otherwise the opcode.
  private mutating func refusal(_ code: UInt8) throws(CheckpointError) -> CheckpointError {
    if code == UInt8(ascii: "i") {
      let module = try cursor.line()
      let name = CheckpointError.printable("\(module).\(try cursor.line())")
      return .refused(file: source, action: "calls '\(name)'")
    }
    return .refused(file: source, action: "uses the opcode \(PickleOpcode.name(code))")
  }

  func damaged(_ reason: String) -> CheckpointError {
    .malformed(file: source, reason: "the pickle is damaged: " + reason)
  }
}

// The stack, the marks and the memo.
extension PickleReader {
  mutating func push(_ atom: Atom) throws(CheckpointError) {
    try count(1)
    stack.append(atom)
  }

  mutating func pop() throws(CheckpointError) -> Atom {
    guard stack.count > marks.last ?? 0, let atom = stack.popLast() else {
      throw damaged("a value is missing")
    }
    return atom
  }

  mutating func popToMark() throws(CheckpointError) -> [Atom] {
    guard let height = marks.popLast() else { throw damaged("a mark is missing") }
    let atoms = Array(stack[height...])
    stack.removeSubrange(height...)
    return atoms
  }

  func top() throws(CheckpointError) -> Atom {
    guard stack.count > marks.last ?? 0, let atom = stack.last else {
      throw damaged("a value is missing")
    }
    return atom
  }

  private mutating func remember(as index: Int) throws(CheckpointError) {
    try count(1)
    memo[index] = try top()
  }

  private mutating func recall(_ index: Int) throws(CheckpointError) {
    guard let atom = memo[index] else { throw damaged("the memo has no entry \(index)") }
    try push(atom)
  }

  mutating func count(_ added: Int) throws(CheckpointError) {
    values += added
    guard values <= limits.values else {
      throw .malformed(file: source, reason: "the pickle holds more than \(limits.values) values")
    }
  }
}
