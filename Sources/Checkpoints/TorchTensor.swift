import Foundation
import Tensor

/// A tensor's elements in row-major order, little-endian.
package struct TorchTensor: Equatable, Sendable {
  package let type: TorchType
  package let shape: [Int]
  package let bytes: Data

  /// Gathers the elements that `view` selects from `storage`, which holds at least
  /// `view.storage.count` of them; nil if the view is impossible.
  init?(_ view: PickledTensor, storage: Data) {
    type = view.storage.type
    shape = view.shape
    guard let count = Self.checkedCount(view) else { return nil }
    guard count > 0 else {
      bytes = Data()
      return
    }
    let rowMajor = Self.rowMajorStrides(shape)
    // The stride of an axis of one element is never stepped; torch writes anything there.
    let strides = zip(view.shape, zip(rowMajor, view.strides)).map {
      size, stride in size == 1 ? stride.0 : stride.1
    }
    if strides == rowMajor {
      let start = storage.startIndex + view.offset * type.size
      bytes = storage.subdata(in: start..<start + count * type.size)
    } else {
      bytes = Self.gather(view, strides: strides, storage: storage, count: count)
    }
  }

  /// The elements as a stored type: half and single precision as they are, bfloat16 and double
  /// precision as single. Nil for integers.
  func stored() -> (type: StoredType, bytes: Data)? {
    switch type {
    case .float16: (.float16, bytes)
    case .float32: (.float32, bytes)
    case .bfloat16:
      (.float32, converted(from: UInt16.self) { Float(bitPattern: UInt32($0) << 16) })
    case .float64:
      (.float32, converted(from: UInt64.self) { Float(Double(bitPattern: $0)) })
    case .int64, .int32, .int16, .int8, .uint8, .bool: nil
    }
  }

  private func converted<Source: FixedWidthInteger>(
    from: Source.Type, _ convert: (Source) -> Float
  ) -> Data {
    let width = MemoryLayout<Source>.size
    var result = Data(capacity: bytes.count / width * 4)
    bytes.withUnsafeBytes { source in
      for offset in stride(from: 0, to: source.count, by: width) {
        let element = source.loadUnaligned(fromByteOffset: offset, as: Source.self)
        withUnsafeBytes(of: convert(Source(littleEndian: element)).bitPattern.littleEndian) {
          result.append(contentsOf: $0)
        }
      }
    }
    return result
  }

  /// The number of elements if all lie in the storage and no more are asked for than it has, so
  /// that memory stays within the size of the file.
  private static func checkedCount(_ view: PickledTensor) -> Int? {
    guard view.strides.count == view.shape.count,
      view.shape.allSatisfy({ $0 >= 0 }), view.strides.allSatisfy({ $0 >= 0 }), view.offset >= 0
    else { return nil }
    if view.shape.contains(0) { return 0 }
    var count = 1
    var last = view.offset
    for (size, stride) in zip(view.shape, view.strides) {
      let product = count.multipliedReportingOverflow(by: size)
      let reach = (size - 1).multipliedReportingOverflow(by: stride)
      let sum = last.addingReportingOverflow(reach.partialValue)
      guard !product.overflow, !reach.overflow, !sum.overflow else { return nil }
      count = product.partialValue
      last = sum.partialValue
    }
    return last < view.storage.count && count <= view.storage.count ? count : nil
  }

  private static func rowMajorStrides(_ shape: [Int]) -> [Int] {
    var strides: [Int] = []
    var step = 1
    for size in shape.reversed() {
      strides.append(step)
      step *= size
    }
    return strides.reversed()
  }

  private static func gather(
    _ view: PickledTensor, strides: [Int], storage: Data, count: Int
  ) -> Data {
    let size = view.storage.type.size
    var result = Data(capacity: count * size)
    var index = [Int](repeating: 0, count: view.shape.count)
    var offset = view.offset
    storage.withUnsafeBytes { source in
      for _ in 0..<count {
        result.append(contentsOf: source[offset * size..<(offset + 1) * size])
        // Steps the index like an odometer, the last axis fastest.
        for axis in index.indices.reversed() {
          index[axis] += 1
          offset += strides[axis]
          if index[axis] < view.shape[axis] { break }
          offset -= view.shape[axis] * strides[axis]
          index[axis] = 0
        }
      }
    }
    return result
  }
}
