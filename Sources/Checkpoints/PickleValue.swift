/// What a pickle holds, as plain values.
package indirect enum PickleValue: Equatable, Sendable {
  case none
  case bool(Bool)
  case int(Int)
  case float(Double)
  case string(String)
  case list([PickleValue])
  case tuple([PickleValue])
  case dictionary([PickleEntry])
  case storage(PickledStorage)
  case tensor(PickledTensor)
  case global(PickleGlobal)
}

package struct PickleEntry: Equatable, Sendable {
  package let key: PickleValue
  package let value: PickleValue

  package init(key: PickleValue, value: PickleValue) {
    self.key = key
    self.value = value
  }
}

/// A block of numbers that the pickle names and the checkpoint keeps beside it.
package struct PickledStorage: Equatable, Sendable {
  package let type: TorchType
  /// Name of the zip member under `data/`.
  package let key: String
  /// Elements.
  package let count: Int

  package init(type: TorchType, key: String, count: Int) {
    self.type = type
    self.key = key
    self.count = count
  }
}

/// A view of a storage. Nothing here is checked against the storage's size yet.
package struct PickledTensor: Equatable, Sendable {
  package let storage: PickledStorage
  /// First element, in elements.
  package let offset: Int
  package let shape: [Int]
  /// In elements.
  package let strides: [Int]

  package init(storage: PickledStorage, offset: Int, shape: [Int], strides: [Int]) {
    self.storage = storage
    self.offset = offset
    self.shape = shape
    self.strides = strides
  }
}

/// Element types of torch storages.
package enum TorchType: String, Sendable, CaseIterable {
  case float16 = "Half"
  case float32 = "Float"
  case float64 = "Double"
  case bfloat16 = "BFloat16"
  case int64 = "Long"
  case int32 = "Int"
  case int16 = "Short"
  case int8 = "Char"
  case uint8 = "Byte"
  case bool = "Bool"

  /// Bytes per element.
  package var size: Int {
    switch self {
    case .int8, .uint8, .bool: 1
    case .float16, .bfloat16, .int16: 2
    case .float32, .int32: 4
    case .float64, .int64: 8
    }
  }
}

/// The only names a pickle may ask for.
package enum PickleGlobal: Equatable, Sendable {
  case orderedDictionary
  case rebuildTensor
  case rebuildParameter
  case storage(TorchType)

  /// Nil for everything else.
  init?(module: String, name: String) {
    switch (module, name) {
    case ("collections", "OrderedDict"): self = .orderedDictionary
    case ("torch._utils", "_rebuild_tensor_v2"): self = .rebuildTensor
    case ("torch._utils", "_rebuild_parameter"): self = .rebuildParameter
    case ("torch", _):
      let type = TorchType.allCases.first { $0.rawValue + "Storage" == name }
      guard let type else { return nil }
      self = .storage(type)
    default: return nil
    }
  }
}
