import Checkpoints
import Foundation
import TestSupport

/// A tensor to put into a state dict.
struct SyntheticTensor {
  var name: String
  var shape: [Int]
  var type: TorchType = .float32
  var data: Data
  /// Row-major if nil.
  var strides: [Int]?
  var offset = 0

  init(
    _ name: String, _ shape: [Int], type: TorchType = .float32, data: Data, strides: [Int]? = nil,
    offset: Int = 0
  ) {
    self.name = name
    self.shape = shape
    self.type = type
    self.data = data
    self.strides = strides
    self.offset = offset
  }

  /// Elements `0.5 * i`, which every floating-point type holds exactly for small i.
  init(_ name: String, _ shape: [Int]) {
    let count = shape.reduce(1, *)
    self.init(name, shape, data: floats((0..<count).map { 0.5 * Float($0) }))
  }
}

func floats(_ values: [Float]) -> Data {
  values.reduce(into: Data()) { data, value in
    data += ZipWriter.little(Int(value.bitPattern), 4)
  }
}

/// Writes pickles opcode by opcode, as torch does with protocol 2.
enum PickleWriter {
  static func stateDict(_ tensors: [SyntheticTensor], nested: Bool = false) -> Data {
    var dictionary = Data("}(".utf8)
    for (key, tensor) in tensors.enumerated() {
      dictionary += unicode(tensor.name) + self.tensor(tensor, key: "\(key)")
    }
    dictionary += Data("u".utf8)
    if nested { dictionary = Data("}".utf8) + unicode("state_dict") + dictionary + Data("s".utf8) }
    return Data([0x80, 2]) + dictionary + Data(".".utf8)
  }

  static func checkpoint(_ tensors: [SyntheticTensor], nested: Bool = false) -> Data {
    let storages = tensors.enumerated().map {
      (name: "archive/data/\($0.offset)", data: $0.element.data)
    }
    return ZipWriter.archive(
      [
        ("archive/data.pkl", stateDict(tensors, nested: nested)),
        ("archive/byteorder", Data("little".utf8)),
      ] + storages)
  }

  private static func tensor(_ tensor: SyntheticTensor, key: String) -> Data {
    var step = 1
    let rowMajor = tensor.shape.reversed().map { size in
      defer { step = step.multipliedReportingOverflow(by: size).partialValue }
      return step
    }
    let count = tensor.data.count / tensor.type.size
    var bytes = global("torch._utils", "_rebuild_tensor_v2") + Data("((".utf8)
    bytes += unicode("storage") + global("torch", tensor.type.rawValue + "Storage")
    bytes += unicode(key) + unicode("cpu") + integer(count) + Data("tQ".utf8)
    bytes += integer(tensor.offset)
    bytes += tuple(tensor.shape) + tuple(tensor.strides ?? rowMajor.reversed())
    return bytes + Data([0x89]) + global("collections", "OrderedDict") + Data(")RtR".utf8)
  }

  static func unicode(_ text: String) -> Data {
    Data("X".utf8) + ZipWriter.little(text.utf8.count, 4) + Data(text.utf8)
  }

  static func integer(_ value: Int) -> Data { Data([0x8A, 8]) + ZipWriter.little(value, 8) }

  static func tuple(_ values: [Int]) -> Data {
    values.reduce(into: Data("(".utf8)) { $0 += integer($1) } + Data("t".utf8)
  }

  static func global(_ module: String, _ name: String) -> Data {
    Data("c\(module)\n\(name)\n".utf8)
  }
}
