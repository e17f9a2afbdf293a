import CKernels
import Foundation
import TestSupport
import Testing

/// `softmax` and `gathered_attention` of every instruction set against Double arithmetic.
struct AttentionKernelTests {
  private static let tables: [ck_table] = [CK_ISA_PORTABLE, CK_ISA_AVX2, CK_ISA_AVX512]
    .compactMap { ck_kernels($0)?.pointee }

  private func softmax(_ x: [Double]) -> [Double] {
    let top = x.max() ?? 0
    let sum = x.reduce(0) { $0 + exp($1 - top) }
    return x.map { exp($0 - top) / sum }
  }

  @Test(arguments: [1, 2, 15, 16, 17, 250])
  func softmaxOfRows(columns: Int) {
    var generator = SeededGenerator(seed: UInt64(columns))
    let (rows, stride) = (3, columns + 2)
    let values = (0..<rows * stride).map { _ in generator.normal(9) }
    for table in Self.tables {
      var found = values
      table.softmax(&found, stride, rows, columns, 0.3)
      for row in 0..<rows {
        let part = row * stride..<row * stride + columns
        let expected = softmax(values[part].map { Double($0 * 0.3) })
        #expect(largestDifference(Array(found[part]), expected.map { Float($0) }) < 1e-6)
        let rest = part.upperBound..<(row + 1) * stride
        #expect(found[rest] == values[rest])
      }
    }
  }

  @Test(arguments: [(1, 4, 44), (7, 3, 4), (40, 1, 16), (100, 2, 33)])
  func attentionOverGatheredRows(count: Int, heads: Int, depth: Int) {
    var generator = SeededGenerator(seed: UInt64(count))
    let width = heads * depth
    let (stride, total) = (2 * width + 5, 2 * count)
    let query = (0..<width).map { _ in generator.normal(1) }
    let cache = (0..<total * stride).map { _ in generator.normal(1) }
    let rows = (0..<Int32(total)).shuffled(using: &generator).prefix(count).map { $0 }
    var expected = [Float](repeating: 0, count: width)
    for head in 0..<heads {
      func entry(_ row: Int32, _ offset: Int, _ index: Int) -> Double {
        Double(cache[Int(row) * stride + offset + head * depth + index])
      }
      let weights = softmax(
        rows.map { row in
          (0..<depth).reduce(0) { $0 + Double(query[head * depth + $1]) * entry(row, 0, $1) } * 0.5
        })
      for index in 0..<depth {
        expected[head * depth + index] = Float(
          zip(weights, rows).reduce(0) { $0 + $1.0 * entry($1.1, width, index) })
      }
    }
    for table in Self.tables {
      var found = [Float](repeating: .nan, count: width)
      var scores = [Float](repeating: .nan, count: count)
      cache.withUnsafeBufferPointer {
        table.gathered_attention(
          query, $0.baseAddress!, $0.baseAddress! + width, stride, rows, count, heads, depth, 0.5,
          &scores, &found)
      }
      #expect(largestDifference(found, expected) < 2e-6)
    }
  }
}
