import CKernels
import Foundation
import TestSupport
import Testing

/// The matrix product with int8 weights of every instruction set against plain loops over integers.
struct Int8ProductTests {
  /// A row as the kernels must quantise it: `x ≈ scale · (q - zero)`.
  private struct QuantizedRow {
    var (scale, zero): (Float, Int)
    var values: [Int]

    init(_ x: [Float]) {
      let (low, high) = (min(0, x.min() ?? 0), max(0, x.max() ?? 0))
      scale = (high - low) / 255
      let inverse = scale > 1e-30 ? 1 / scale : 0
      let shift = (0.5 - low * inverse).rounded(.down)
      zero = Int(shift)
      values = x.map { Int(max(0, min(255, $0 * inverse + (shift + 0.5)))) }
    }

    /// The exact sum of products, before scales.
    func dot(_ weights: ArraySlice<Int8>) -> Int {
      zip(values, weights).reduce(0) { $0 + ($1.0 - zero) * Int($1.1) }
    }
  }

  private func product(
    _ set: InstructionSet, _ a: [Float], rows: Int, stride: Int? = nil, w: [Int8],
    scales: [Float], bias: [Float]? = nil, k: Int, onto before: [Float]? = nil,
    _ epilogue: ck_epilogue = CK_EPILOGUE_NONE
  ) -> [Float] {
    let n = scales.count
    let stride = stride ?? k
    return a.withUnsafeBufferPointer { data in
      product(
        set,
        ck_operand(
          data: data.baseAddress, rows: rows, stride: stride, groups: 1, group_stride: 0,
          segments: 1, segment_stride: 0, k: k),
        w: w, scales: scales, bias: bias,
        onto: before ?? Array(repeating: .nan, count: rows * n), epilogue)
    }
  }

  private func product(
    _ set: InstructionSet, _ operand: ck_operand, w: [Int8], scales: [Float], bias: [Float]? = nil,
    onto before: [Float], _ epilogue: ck_epilogue = CK_EPILOGUE_NONE
  ) -> [Float] {
    let (n, k) = (scales.count, operand.segments * operand.k)
    var packed = [Int32](repeating: -1, count: set.table.packed_int8_count(n, k))
    set.table.pack_int8(w, scales, n, k, &packed)
    var (operand, c) = (operand, before)
    let stride = before.count / (operand.groups * operand.rows)
    set.table.gemm_int8(&operand, packed, bias, n, &c, stride, epilogue, 0.5)
    return c
  }

  private func weights(_ count: Int, _ generator: inout SeededGenerator) -> [Int8] {
    (0..<count).map { _ in Int8.random(in: -128...127, using: &generator) }
  }

  /// With rows of whole numbers from -z to 255 - z every scale is 1, so the results are the sums
  /// themselves, which must be exact.
  @Test(arguments: InstructionSet.here)
  func sumsAreExact(_ set: InstructionSet) {
    var generator = SeededGenerator(seed: 31)
    for m in 1...70 {
      for n in [1, 3, 8, 15, 17, 31, 32, 33, 47, 64, 65, 176].shuffled(using: &generator).prefix(4)
      {
        let k = [2, 3, 4, 5, 7, 9, 31, 44, 176, 501].randomElement(using: &generator)!
        let a = (0..<m).flatMap { _ -> [Float] in
          let zero = Int.random(in: 0...255, using: &generator)
          return [Float(-zero), Float(255 - zero)]
            + (2..<k).map { _ in Float(Int.random(in: 0...255, using: &generator) - zero) }
        }
        // The largest products of one sign, and random ones.
        let w =
          Bool.random(using: &generator)
          ? weights(n * k, &generator)
          : (0..<n * k).map { $0 / k % 2 == 0 ? Int8.min : .max }
        let c = product(set, a, rows: m, w: w, scales: Array(repeating: 1, count: n), k: k)
        var wrong = 0
        for row in 0..<m {
          for column in 0..<n {
            let sum = (0..<k).reduce(0) { $0 + Int(a[row * k + $1]) * Int(w[column * k + $1]) }
            if c[row * n + column] != Float(sum) { wrong += 1 }
          }
        }
        #expect(wrong == 0, "\(wrong) sums of [\(m), \(k)] · [\(n), \(k)]ᵀ")
      }
    }
  }

  /// Real numbers with scales, bias and every epilogue, with strides wider than the matrices, whose
  /// floats between rows must stay.
  @Test(arguments: InstructionSet.here)
  func everyEpilogue(_ set: InstructionSet) {
    var generator = SeededGenerator(seed: 32)
    for m in [1, 2, 3, 5, 8, 13, 16, 33, 70] {
      for epilogue in [
        CK_EPILOGUE_NONE, CK_EPILOGUE_RELU, CK_EPILOGUE_SWISH, CK_EPILOGUE_ADD,
      ] {
        let n = Int.random(in: 1...70, using: &generator)
        let k = Int.random(in: 1...300, using: &generator)
        let (aStride, cStride) = (k + 3, n + 5)
        let offset: Float = [0, 1, -5].randomElement(using: &generator)!
        let a = (0..<m * aStride).map { _ in generator.normal(1) + offset }
        let w = weights(n * k, &generator)
        let scales = (0..<n).map { _ in Float.random(in: 1e-4..<1e-2, using: &generator) }
        let bias = Bool.random(using: &generator) ? (0..<n).map { _ in generator.normal(1) } : nil
        let before = (0..<m * cStride).map { _ in generator.normal(1) }
        let c = product(
          set, a, rows: m, stride: aStride, w: w, scales: scales, bias: bias, k: k, onto: before,
          epilogue)
        var worst = 0.0
        for row in 0..<m {
          let quantized = QuantizedRow(Array(a[row * aStride..<row * aStride + k]))
          for column in 0..<cStride {
            let (found, old) = (
              Double(c[row * cStride + column]), Double(before[row * cStride + column])
            )
            guard column < n else {
              #expect(found == old, "written between rows")
              continue
            }
            let sum = quantized.dot(w[column * k..<(column + 1) * k])
            let y =
              Double(sum) * Double(quantized.scale) * Double(scales[column])
              + Double(bias?[column] ?? 0)
            let expected =
              switch epilogue {
              case CK_EPILOGUE_RELU: max(0, y)
              case CK_EPILOGUE_SWISH: y / (1 + exp(-y))
              case CK_EPILOGUE_ADD: old + 0.5 * y
              default: y
              }
            let difference = abs(found - expected) / max(1, abs(expected))
            worst = difference.isFinite ? max(worst, difference) : .infinity
          }
        }
        #expect(worst < 1e-5, "[\(m), \(k)] · [\(n), \(k)]ᵀ, epilogue \(epilogue.rawValue)")
      }
    }
  }

  /// Down to the last bit, whatever tile or strip a row is in.
  @Test(arguments: InstructionSet.here)
  func noRowDependsOnOthers(_ set: InstructionSet) {
    var generator = SeededGenerator(seed: 33)
    for (m, n, k) in [(25, 33, 45), (70, 17, 176), (600, 16, 5), (48, 40, 3520)] {
      let a = (0..<m * k).map { _ in generator.normal(1) }
      let w = weights(n * k, &generator)
      let scales = (0..<n).map { _ in Float.random(in: 1e-4..<1e-2, using: &generator) }
      let together = product(set, a, rows: m, w: w, scales: scales, k: k)
      for row in 0..<m {
        let alone = product(
          set, Array(a[row * k..<(row + 1) * k]), rows: 1, w: w, scales: scales, k: k)
        #expect(Array(together[row * n..<(row + 1) * n]) == alone, "row \(row) of \(m)")
      }
    }
  }

  /// Windows of a convolution, which overlap and consist of several runs, are the rows that they
  /// would be if they were copied out.
  @Test(arguments: InstructionSet.here)
  func windowsAreRows(_ set: InstructionSet) {
    var generator = SeededGenerator(seed: 34)
    let (width, n, k) = (40, 19, 21)
    let image = (0..<9 * width).map { _ in generator.normal(1) }
    let w = weights(n * 3 * k, &generator)
    let scales = (0..<n).map { _ in Float.random(in: 1e-4..<1e-2, using: &generator) }
    // 4 groups of 3 windows, each of 3 runs of 21 floats.
    var rows: [Float] = []
    for group in 0..<4 {
      for window in 0..<3 {
        for segment in 0..<3 {
          let start = (2 * group + segment) * width + 8 * window
          rows += image[start..<start + k]
        }
      }
    }
    let expected = product(set, rows, rows: 12, w: w, scales: scales, k: 3 * k)
    let found = image.withUnsafeBufferPointer {
      product(
        set,
        ck_operand(
          data: $0.baseAddress, rows: 3, stride: 8, groups: 4, group_stride: 2 * width,
          segments: 3, segment_stride: width, k: k),
        w: w, scales: scales, onto: Array(repeating: .nan, count: 12 * n))
    }
    #expect(found == expected)
  }

  /// The longest rows of the largest numbers fit into 32 bits.
  @Test(arguments: InstructionSet.here)
  func longestRows(_ set: InstructionSet) {
    let k = Int(CK_INT8_INPUTS)
    let a = Array(repeating: Float(255), count: k) + Array(repeating: Float(-255), count: k)
    let w = Array(repeating: Int8.min, count: k) + Array(repeating: Int8.max, count: k)
    let c = product(set, a, rows: 2, w: w, scales: [1, 1], k: k)
    let expected = [-32_640, 32_385, 32_640, -32_385].map { Float($0 * k) }
    #expect(c == expected)
  }

  /// Rows that cannot be scaled end in zero, or show that they were not numbers, and trap nowhere.
  @Test(arguments: InstructionSet.here)
  func strangeRows(_ set: InstructionSet) {
    func run(_ row: [Float]) -> [Float] {
      product(set, row, rows: 1, w: [1, 2, -3, 4, 5, 6], scales: [1, 1], k: 3)
    }
    #expect(run([0, 0, 0]) == [0, 0])
    #expect(run([-0.0, 1e-40, -1e-35]).allSatisfy { abs($0) < 1e-30 })
    for bad in [Float.infinity, -.infinity] {
      #expect(run([1, bad, 2]).allSatisfy { $0.isNaN })
    }
    #expect(run([.greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0]).allSatisfy { $0.isNaN })
    #expect(run([1, .nan, 2]).allSatisfy { $0.isFinite })
    #expect(largestDifference(run([7, 7, 7]), [0, 105]) < 1e-4)
    #expect(largestDifference(run([-7, -7, -7]), [0, -105]) < 1e-4)
  }
}
