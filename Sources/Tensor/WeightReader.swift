/// Reads a model's tensors by name, level by level, and keeps account of which were asked for.
///
/// Every tensor is converted to float32 and checked for shape, NaN and infinity, so that whatever
/// a folder lacks or has too much of is named when the model is loaded.
public struct WeightReader {
  /// Names that have been read; shared by all readers of one file.
  private final class Ledger { var names: Set<String> = [] }

  public let file: SafetensorsFile
  private let prefix: String
  private let ledger: Ledger
  /// For the packed weights of the file's layers.
  public let arena: WeightArena

  public init(_ file: SafetensorsFile) {
    self.file = file
    // 16-bit weights that become float32 double, and small layers are padded; the rest of this is
    // address space that nobody touches.
    arena = WeightArena(capacity: 4 * file.byteCount, filled: file.byteCount)
    prefix = ""
    ledger = Ledger()
  }

  private init(_ parent: WeightReader, prefix: String) {
    file = parent.file
    self.prefix = prefix
    ledger = parent.ledger
    arena = parent.arena
  }

  /// The reader of the tensors below `name`.
  public subscript(name: String) -> WeightReader {
    WeightReader(self, prefix: prefix + name + ".")
  }

  /// The reader of the tensors of layer `index`.
  public subscript(index: Int) -> WeightReader { self[String(index)] }

  /// The tensor `name` below this reader's prefix as float32.
  ///
  /// - Throws: `WeightError` if it is missing, has another shape or type, or is not finite.
  public func tensor(_ name: String, _ shape: [Int]) throws(WeightError) -> FloatStorage {
    let (full, entry) = try find(name, shape, [.float16, .float32])
    defer { file.release() }
    let storage = FloatStorage(count: shape.reduce(1, *))
    let bad: Int
    if entry.type == StoredType.float16.rawValue {
      bad = Kernels.active.half_to_float(halves(of: entry), storage.pointer, storage.count)
    } else {
      let bytes = file.bytes(of: entry)
      UnsafeMutableRawBufferPointer(start: storage.pointer, count: bytes.count)
        .copyMemory(from: bytes)
      bad = Kernels.active.first_not_finite(storage.pointer, storage.count)
    }
    guard bad < 0 else { throw .notFinite(file: file.path, tensor: full, index: bad) }
    return storage
  }

  /// The bits of the 16-bit floats of a tensor.
  ///
  /// - Throws: `WeightError` if it is missing, has another shape or type, or is not finite.
  func halves(_ name: String, _ shape: [Int]) throws(WeightError) -> [UInt16] {
    let (full, entry) = try find(name, shape, [.float16])
    defer { file.release() }
    let halves = halves(of: entry)
    guard let bad = halves.firstIndex(where: { $0 & 0x7C00 == 0x7C00 }) else { return halves }
    throw .notFinite(file: file.path, tensor: full, index: bad)
  }

  /// Copied, since a writer may not have aligned them.
  private func halves(of entry: SafetensorsFile.Entry) -> [UInt16] {
    let bytes = file.bytes(of: entry)
    return Array(unsafeUninitializedCapacity: bytes.count / 2) { halves, count in
      UnsafeMutableRawBufferPointer(halves).copyMemory(from: bytes)
      count = bytes.count / 2
    }
  }

  /// Whether the file has the tensor `name` below this reader's prefix.
  public func has(_ name: String) -> Bool { file.entries[prefix + name] != nil }

  /// Whether the file has the tensor `name` below this reader's prefix as `type`.
  func isStored(_ name: String, _ type: StoredType) -> Bool {
    file.entries[prefix + name]?.type == type.rawValue
  }

  /// - Throws: `WeightError.unused` if the file has tensors that nothing asked for.
  public func requireAllUsed() throws(WeightError) {
    let unused = file.entries.keys.filter { !ledger.names.contains($0) }
    guard unused.isEmpty else { throw .unused(file: file.path, tensors: unused.sorted()) }
  }

  /// The full name and the entry of a tensor of one of `types`, which counts as used now.
  func find(
    _ name: String, _ shape: [Int], _ types: [StoredType]
  ) throws(WeightError) -> (String, SafetensorsFile.Entry) {
    let full = prefix + name
    guard let entry = file.entries[full] else {
      throw .missing(file: file.path, tensor: full, expected: shape)
    }
    guard entry.shape == shape else {
      throw .wrongShape(file: file.path, tensor: full, found: entry.shape, expected: shape)
    }
    guard types.contains(where: { $0.rawValue == entry.type }) else {
      throw .wrongType(
        file: file.path, tensor: full, found: entry.type,
        expected: types.map(\.rawValue).joined(separator: " or "))
    }
    ledger.names.insert(full)
    return (full, entry)
  }
}
