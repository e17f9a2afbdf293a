import CKernels
import Foundation
import TestSupport
import Testing

/// The matrix product with packed weights of every instruction set against plain loops in Double.
struct PackedProductTests {
  private static let epilogues: [ck_epilogue] = [
    CK_EPILOGUE_NONE, CK_EPILOGUE_RELU, CK_EPILOGUE_SWISH, CK_EPILOGUE_ADD,
  ]

  /// `y = a · wᵀ + bias` through `epilogue`, onto `c`.
  private func expected(
    _ y: Double, _ epilogue: ck_epilogue, scale: Double, before c: Double
  ) -> Double {
    switch epilogue {
    case CK_EPILOGUE_RELU: max(0, y)
    case CK_EPILOGUE_SWISH: y / (1 + exp(-y))
    case CK_EPILOGUE_ADD: c + scale * y
    default: y
    }
  }

  /// Every height of a tile and one more, every kind of last panel, with strides wider than the
  /// matrices, whose floats between rows must stay.
  @Test(arguments: InstructionSet.here)
  func everyTile(_ set: InstructionSet) {
    var generator = SeededGenerator(seed: 21)
    for m in Array(1...26) + [65] {
      for n in [1, 5, 8, 15, 16, 17, 31, 32, 33, 48, 49, 176] {
        let k = [1, 2, 7, 44, 176][Int.random(in: 0..<5, using: &generator)]
        let epilogue = Self.epilogues[Int.random(in: 0..<4, using: &generator)]
        let hasBias = Bool.random(using: &generator)
        let (aStride, cStride) = (k + 3, n + 5)
        let a = (0..<m * aStride).map { _ in generator.normal(1) }
        let w = (0..<n * k).map { _ in generator.normal(1 / Float(k).squareRoot()) }
        let bias = (0..<n).map { _ in generator.normal(1) }
        let before = (0..<m * cStride).map { _ in generator.normal(1) }
        var packed = [Float](repeating: .nan, count: set.table.packed_count(n, k))
        set.table.pack(w, n, k, &packed)
        var c = before
        a.withUnsafeBufferPointer { data in
          var operand = ck_operand(
            data: data.baseAddress, rows: m, stride: aStride, groups: 1, group_stride: 0,
            segments: 1, segment_stride: 0, k: k)
          set.table.gemm(&operand, packed, hasBias ? bias : nil, n, &c, cStride, epilogue, 0.5)
        }
        var worst = 0.0
        for row in 0..<m {
          for column in 0..<cStride {
            let old = Double(before[row * cStride + column])
            var wanted = old
            if column < n {
              var y = hasBias ? Double(bias[column]) : 0
              for i in 0..<k { y += Double(a[row * aStride + i]) * Double(w[column * k + i]) }
              wanted = self.expected(y, epilogue, scale: 0.5, before: old)
            }
            let difference = abs(Double(c[row * cStride + column]) - wanted)
            worst = difference.isFinite ? max(worst, difference) : .infinity
          }
        }
        #expect(worst < 2e-5, "[\(m), \(k)] · [\(n), \(k)]ᵀ, epilogue \(epilogue.rawValue)")
      }
    }
  }

  /// 16-bit weights give the very bits that the same weights as float32 give.
  @Test(arguments: InstructionSet.here.filter { $0.table.gemm_half != nil })
  func halvesAreExact(_ set: InstructionSet) {
    var generator = SeededGenerator(seed: 22)
    for m in [1, 2, 3, 5, 12, 13, 30] {
      for n in [1, 15, 16, 17, 33, 176] {
        let k = [1, 7, 44, 176][Int.random(in: 0..<4, using: &generator)]
        let a = (0..<m * k).map { _ in generator.normal(1) }
        let halves = (0..<n * k).map { _ in Float16(generator.normal(1)) }
        let bias = (0..<n).map { _ in generator.normal(1) }
        var packed = [Float](repeating: .nan, count: set.table.packed_count(n, k))
        var packedHalves = [UInt16](repeating: 0xFFFF, count: packed.count)
        set.table.pack(halves.map { Float($0) }, n, k, &packed)
        set.table.pack_half(halves.map(\.bitPattern), n, k, &packedHalves)
        var (expected, found) = (
          [Float](repeating: 0, count: m * n), [Float](repeating: 1, count: m * n)
        )
        a.withUnsafeBufferPointer { data in
          var operand = ck_operand(
            data: data.baseAddress, rows: m, stride: k, groups: 1, group_stride: 0,
            segments: 1, segment_stride: 0, k: k)
          set.table.gemm(&operand, packed, bias, n, &expected, n, CK_EPILOGUE_SWISH, 1)
          set.table.gemm_half(&operand, packedHalves, bias, n, &found, n, CK_EPILOGUE_SWISH, 1)
        }
        #expect(found == expected, "[\(m), \(k)] · [\(n), \(k)]ᵀ")
      }
    }
  }
}
