import Foundation

/// A safetensors file, memory-mapped read-only; its header is checked once, when it is opened.
public final class SafetensorsFile: @unchecked Sendable {
  /// Where one tensor lies.
  public struct Entry: Sendable {
    /// The format's name of the element type, such as `F16`.
    public let type: String
    public let shape: [Int]
    /// Byte range after the header.
    let range: Range<Int>
  }

  public let path: String
  public let entries: [String: Entry]
  private let mapping: UnsafeRawBufferPointer
  private let dataStart: Int

  /// Maps the file and checks its header: every tensor's range, type and shape agree and no two
  /// overlap.
  public init(path: String) throws(WeightError) {
    self.path = path
    mapping = try Self.map(path)
    do {
      (entries, dataStart) = try Self.parseHeader(mapping, path: path)
    } catch {
      munmap(UnsafeMutableRawPointer(mutating: mapping.baseAddress!), mapping.count)
      throw error
    }
  }

  deinit { munmap(UnsafeMutableRawPointer(mutating: mapping.baseAddress!), mapping.count) }

  /// Size of the file.
  var byteCount: Int { mapping.count }

  /// The bytes of a tensor, valid as long as this object.
  func bytes(of entry: Entry) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(
      rebasing: mapping[dataStart + entry.range.lowerBound..<dataStart + entry.range.upperBound])
  }

  /// Lets the system take back the memory of what has been read of the file; it can be read again.
  /// The pages around a tensor come with it, so this is about all of the file.
  func release() {
    madvise(UnsafeMutableRawPointer(mutating: mapping.baseAddress!), mapping.count, MADV_DONTNEED)
  }

  /// A tensor as it is stored, to be written elsewhere; nil if it is missing or has a type that
  /// Starling does not read.
  public func stored(_ name: String) -> StoredTensor? {
    guard let entry = entries[name], let type = StoredType(rawValue: entry.type) else {
      return nil
    }
    return StoredTensor(name: name, type: type, shape: entry.shape, bytes: Data(bytes(of: entry)))
  }

  private static func map(_ path: String) throws(WeightError) -> UnsafeRawBufferPointer {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw .unreadable(file: path, reason: String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw .unreadable(file: path, reason: "it is not a regular file")
    }
    let size = Int(status.st_size)
    guard size > 8 else {
      throw .malformed(file: path, reason: "it has \(size) bytes, too few for a header")
    }
    guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0),
      address != MAP_FAILED
    else { throw .unreadable(file: path, reason: String(cString: strerror(errno))) }
    return UnsafeRawBufferPointer(start: address, count: size)
  }

  private static func parseHeader(
    _ mapping: UnsafeRawBufferPointer, path: String
  ) throws(WeightError) -> ([String: Entry], Int) {
    let length = mapping.loadUnaligned(as: UInt64.self).littleEndian
    guard length <= UInt64(mapping.count - 8) else {
      throw .malformed(
        file: path, reason: "its header should have \(length) bytes, the file has \(mapping.count)")
    }
    let dataStart = 8 + Int(length)
    let json = Data(mapping[8..<dataStart])
    guard let object = try? JSONSerialization.jsonObject(with: json) as? [String: Any] else {
      throw .malformed(file: path, reason: "its header is not a JSON object")
    }
    var entries: [String: Entry] = [:]
    for (name, value) in object where name != "__metadata__" {
      entries[name] = try entry(
        name, value, available: mapping.count - dataStart, path: path)
    }
    // A tensor without elements overlaps nothing, wherever it is said to lie.
    let ordered = entries.filter { !$0.value.range.isEmpty }
      .sorted { $0.value.range.lowerBound < $1.value.range.lowerBound }
    for (first, second) in zip(ordered, ordered.dropFirst())
    where first.value.range.upperBound > second.value.range.lowerBound {
      throw .malformed(file: path, reason: "tensors '\(first.key)' and '\(second.key)' overlap")
    }
    return (entries, dataStart)
  }

  private static func entry(
    _ name: String, _ value: Any, available: Int, path: String
  ) throws(WeightError) -> Entry {
    guard let fields = value as? [String: Any], let type = fields["dtype"] as? String,
      let shape = fields["shape"] as? [Int], let offsets = fields["data_offsets"] as? [Int],
      offsets.count == 2, offsets[0] >= 0, offsets[0] <= offsets[1],
      shape.allSatisfy({ $0 >= 0 && $0 <= 1 << 32 })
    else {
      throw .malformed(
        file: path, reason: "tensor '\(name)' lacks a valid dtype, shape or data_offsets")
    }
    guard offsets[1] <= available else {
      throw .malformed(
        file: path,
        reason: "tensor '\(name)' ends at byte \(offsets[1]) of the data, which has \(available); "
          + "the file is truncated")
    }
    if let stored = StoredType(rawValue: type) {
      var size = stored.size
      for extent in shape {
        let (product, overflow) = size.multipliedReportingOverflow(by: extent)
        guard !overflow else {
          throw .malformed(file: path, reason: "tensor '\(name)' has the absurd shape \(shape)")
        }
        size = product
      }
      guard size == offsets[1] - offsets[0] else {
        throw .malformed(
          file: path,
          reason: "tensor '\(name)' of \(type) \(shape) needs \(size) bytes and has "
            + "\(offsets[1] - offsets[0])")
      }
    }
    return Entry(type: type, shape: shape, range: offsets[0]..<offsets[1])
  }
}
