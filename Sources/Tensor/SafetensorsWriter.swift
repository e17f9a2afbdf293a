import Foundation

/// Element types of a safetensors file that Starling reads and writes.
public enum StoredType: String, Sendable {
  case float16 = "F16"
  case float32 = "F32"
  case int8 = "I8"

  /// Bytes per element.
  public var size: Int {
    switch self {
    case .int8: 1
    case .float16: 2
    case .float32: 4
    }
  }
}

/// One tensor to write: little-endian elements in row-major order.
public struct StoredTensor: Sendable {
  public var name: String
  public var type: StoredType
  public var shape: [Int]
  public var bytes: Data

  /// - Precondition: `bytes` holds exactly the elements that `shape` and `type` call for.
  public init(name: String, type: StoredType, shape: [Int], bytes: Data) {
    precondition(bytes.count == shape.reduce(type.size, *), "\(name): bytes do not fill \(shape)")
    self.name = name
    self.type = type
    self.shape = shape
    self.bytes = bytes
  }
}

/// Writes the safetensors format: u64 header length, JSON header padded to 64 bytes, tensors.
public enum SafetensorsWriter {
  /// Writes `tensors`, sorted by name, to a temporary file beside `path` that then replaces it,
  /// so a reader never sees half a file.
  public static func write(
    _ tensors: [StoredTensor], metadata: [String: String] = [:], to path: String
  ) throws(WeightError) {
    let sorted = tensors.sorted { $0.name < $1.name }
    var header: [String: Any] = [:]
    if !metadata.isEmpty { header["__metadata__"] = metadata }
    var offset = 0
    for tensor in sorted {
      header[tensor.name] = [
        "dtype": tensor.type.rawValue, "shape": tensor.shape,
        "data_offsets": [offset, offset + tensor.bytes.count],
      ]
      offset += tensor.bytes.count
    }
    do {
      var json = try JSONSerialization.data(
        withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
      // The tensors start at a multiple of 64 bytes, so mapped rows are aligned.
      while (8 + json.count) % 64 != 0 { json.append(UInt8(ascii: " ")) }
      var file = Data(capacity: 8 + json.count + offset)
      withUnsafeBytes(of: UInt64(json.count).littleEndian) { file.append(contentsOf: $0) }
      file.append(json)
      for tensor in sorted { file.append(tensor.bytes) }
      try file.write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw WeightError.unreadable(file: path, reason: "cannot be written: \(error)")
    }
  }
}
