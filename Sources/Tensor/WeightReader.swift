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

  public init(_ file: SafetensorsFile) {
    self.file = file
    prefix = ""
    ledger = Ledger()
  }

  private init(_ parent: WeightReader, prefix: String) {
    file = parent.file
    self.prefix = prefix
    ledger = parent.ledger
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
    let bytes = file.bytes(of: entry)
    let storage = FloatStorage(count: shape.reduce(1, *))
    let bad: Int
    if entry.type == StoredType.float16.rawValue {
      // The format aligns tensors to 8 bytes at least when the writer follows it; others are
      // copied first.
      if Int(bitPattern: bytes.baseAddress) % MemoryLayout<UInt16>.alignment == 0 {
        bad = Kernels.active.half_to_float(
          bytes.assumingMemoryBound(to: UInt16.self).baseAddress, storage.pointer, storage.count)
      } else {
        let aligned = (0..<storage.count).map {
          bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)
        }
        bad = Kernels.active.half_to_float(aligned, storage.pointer, storage.count)
      }
    } else {
      UnsafeMutableRawBufferPointer(start: storage.pointer, count: bytes.count)
        .copyMemory(from: bytes)
      bad = Kernels.active.first_not_finite(storage.pointer, storage.count)
    }
    guard bad < 0 else { throw .notFinite(file: file.path, tensor: full, index: bad) }
    return storage
  }

  /// Whether the file has the tensor `name` below this reader's prefix.
  public func has(_ name: String) -> Bool { file.entries[prefix + name] != nil }

  /// Whether the file has the tensor `name` below this reader's prefix as int8.
  func isInt8(_ name: String) -> Bool {
    file.entries[prefix + name]?.type == StoredType.int8.rawValue
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
