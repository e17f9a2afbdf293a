import CKernels
import Foundation
import Tensor
import TestSupport
import Testing

/// An instruction set, as an argument of tests.
enum InstructionSet: UInt32, CaseIterable, CustomTestStringConvertible {
  case portable, avx2, avx512, avxVNNI, avx512VNNI, neonDot

  /// Those of this machine.
  static let here = allCases.filter { ck_kernels(ck_isa($0.rawValue)) != nil }

  var table: ck_table { ck_kernels(ck_isa(rawValue)).pointee }
  var testDescription: String { "\(self)" }
}

/// Every kernel of every instruction set against plain loops in Double.
struct KernelTests {
  static let columns = [1, 7, 15, 16, 17, 31, 32, 33, 44, 64, 176, 1025]

  /// Random rows with more floats between them than columns; the floats between must stay.
  fileprivate struct Rows {
    var values: [Float]
    let original: [Float]
    let (rows, columns, stride): (Int, Int, Int)

    init(
      _ rows: Int, _ columns: Int, deviation: Float = 1, _ generator: inout SeededGenerator
    ) {
      (self.rows, self.columns, self.stride) = (rows, columns, columns + 3)
      values = (0..<rows * stride).map { _ in generator.normal(deviation) }
      original = values
    }

    func before(_ row: Int, _ column: Int) -> Double { Double(original[row * stride + column]) }

    /// Relative to 1 or the number, whichever is larger.
    func expectEqual(
      _ kernel: String, tolerance: Double = 3e-6, _ expected: (Int, Int) -> Double,
      sourceLocation: SourceLocation = #_sourceLocation
    ) {
      var worst = 0.0
      for row in 0..<rows {
        for column in 0..<stride {
          let found = Double(values[row * stride + column])
          if column >= columns {
            #expect(
              found == before(row, column), "\(kernel) wrote between rows",
              sourceLocation: sourceLocation)
            continue
          }
          let reference = expected(row, column)
          let difference = abs(found - reference) / max(1, abs(reference))
          worst = difference.isFinite ? max(worst, difference) : .infinity
        }
      }
      #expect(
        worst < tolerance, "\(kernel), \(rows) × \(columns)", sourceLocation: sourceLocation)
    }
  }

  private func vector(_ count: Int, _ generator: inout SeededGenerator) -> [Float] {
    (0..<count).map { _ in generator.normal(1) }
  }

  private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  @Test func thisMachineHasThePortableKernels() {
    #expect(InstructionSet.here.contains(.portable))
    #expect(ck_kernels(ck_best_isa()) != nil)
    #expect(ck_kernels(ck_isa(99)) == nil)
    let names: [String: UInt32] = [
      "portable": 0, "AVX2": 1, "AVX-512": 2, "AVX-VNNI": 3, "AVX-512 VNNI": 4,
      "NEON with dot products": 5,
    ]
    #expect(names[Kernels.instructionSet] == ck_best_isa().rawValue)
  }

  @Test(arguments: InstructionSet.here)
  func layerNorm(_ set: InstructionSet) {
    var generator = SeededGenerator(seed: 1)
    for n in Self.columns {
      // An offset shows a variance that is computed by subtracting squares.
      for offset in [0, 100] as [Float] {
        var x = Rows(3, n, &generator)
        x = x.adding(offset)
        var y = Rows(3, n, &generator)
        let (gamma, beta) = (vector(n, &generator), vector(n, &generator))
        func expected(_ row: Int, _ column: Int) -> Double {
          let values = (0..<n).map { x.before(row, $0) }
          let mean = values.reduce(0, +) / Double(n)
          let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
          return Double(gamma[column]) * (values[column] - mean) / (variance + 1e-5).squareRoot()
            + Double(beta[column])
        }
        set.table.layer_norm(
          x.values, x.stride, 3, n, gamma, beta, 1e-5, &y.values, y.stride)
        let tolerance = offset == 0 ? 1e-5 : 2e-3
        if n > 1 { y.expectEqual("layer_norm", tolerance: tolerance, expected) }
        x.inPlace { set.table.layer_norm($0, $1, 3, n, gamma, beta, 1e-5, $0, $1) }
        if n > 1 { x.expectEqual("layer_norm in place", tolerance: tolerance, expected) }
      }
    }
  }

  @Test(arguments: InstructionSet.here)
  func gatedLinearUnit(_ set: InstructionSet) {
    var generator = SeededGenerator(seed: 4)
    for n in Self.columns {
      let x = Rows(3, 2 * n, deviation: 3, &generator)
      var y = Rows(3, n, &generator)
      set.table.glu(x.values, x.stride, 3, n, &y.values, y.stride)
      y.expectEqual("glu") { x.before($0, $1) * sigmoid(x.before($0, n + $1)) }
    }
  }

  @Test(arguments: InstructionSet.here)
  func depthwiseConvolution(_ set: InstructionSet) {
    var generator = SeededGenerator(seed: 5)
    for n in Self.columns {
      for (rows, taps) in [(1, 1), (5, 3), (2, 31), (40, 9), (16, 31), (13, 8)] {
        let x = vector((rows + taps - 1) * n, &generator)
        let w = vector(taps * n, &generator)
        let bias = vector(n, &generator)
        var y = [Float](repeating: .nan, count: rows * n)
        set.table.depthwise(x, rows, n, w, bias, taps, &y)
        var expected: [Float] = []
        for t in 0..<rows {
          for j in 0..<n {
            var sum = Double(bias[j])
            for k in 0..<taps { sum += Double(x[(t + k) * n + j]) * Double(w[k * n + j]) }
            expected.append(Float(sum))
          }
        }
        #expect(largestDifference(y, expected) < 2e-5, "\(rows) × \(n), \(taps) taps")
      }
    }
  }

  @Test(arguments: InstructionSet.here)
  func edges(_ set: InstructionSet) {
    var generator = SeededGenerator(seed: 6)
    for n in Self.columns {
      for (rows, taps) in [(1, 1), (15, 6), (3, 4), (0, 2)] {
        let x = vector(taps * n, &generator)
        let halves = vector(rows * taps * n, &generator).map { Float16($0) }
        let w = halves.map { Float($0) }
        let scale = vector(n, &generator)
        // A row before those that are added to, which must stay.
        let before = vector((rows + 1) * n, &generator)
        var expected = before
        for r in 0..<rows {
          for j in 0..<n {
            var sum = 0.0
            for k in 0..<taps {
              sum += Double(x[(taps - 1 - k) * n + j]) * Double(w[(r * taps + k) * n + j])
            }
            let row = rows - r
            expected[row * n + j] = Float(Double(before[row * n + j]) + Double(scale[j]) * sum)
          }
        }
        var (y, yHalf) = (before, before)
        x.withUnsafeBufferPointer { x in
          let last = x.baseAddress! + (taps - 1) * n
          y.withUnsafeMutableBufferPointer {
            set.table.edge(last, taps, n, w, scale, rows, $0.baseAddress! + rows * n)
          }
          yHalf.withUnsafeMutableBufferPointer {
            set.table.edge_half(
              last, taps, n, halves.map(\.bitPattern), scale, rows, $0.baseAddress! + rows * n)
          }
        }
        #expect(largestDifference(y, expected) < 1e-5, "\(rows) × \(n), \(taps) taps")
        #expect(y == yHalf && y[..<n] == before[..<n])
      }
    }
  }

  @Test(arguments: InstructionSet.here)
  func logarithms(_ set: InstructionSet) {
    let original: [Float] =
      stride(from: -126, through: 127, by: 0.0173).map { Float(pow(2, $0)) }
      + stride(from: 0.5, through: 2, by: 0.000_31).map { Float($0) }
    var values = original
    set.table.logarithm(&values, values.count)
    for (x, y) in zip(original, values) {
      let expected = log(Double(x))
      #expect(abs(Double(y) - expected) <= 2e-7 * max(abs(expected), 0.5), "log(\(x)) is \(y)")
    }
    // The floors of both front ends come out as the nearest numbers.
    var floors: [Float] = [0x1p-24, 0x1p-23, 1]
    set.table.logarithm(&floors, 3)
    #expect(floors == [Float(log(0x1p-24)), Float(log(0x1p-23)), 0])
  }

  @Test(arguments: InstructionSet.here)
  func logSoftmax(_ set: InstructionSet) {
    var generator = SeededGenerator(seed: 7)
    for n in Self.columns {
      var x = Rows(3, n, deviation: 5, &generator)
      set.table.log_softmax(&x.values, x.stride, 3, n)
      let expected = (0..<3).map { row in
        let scores = (0..<n).map { x.before(row, $0) }
        let total = scores.reduce(0) { $0 + exp($1) }
        return scores.map { $0 - log(total) }
      }
      x.expectEqual("log_softmax") { expected[$0][$1] }
    }
  }

  /// Swish of `values` by a matrix product with them as weights of one input, 1.
  private func swish(_ values: [Float], _ set: InstructionSet) -> [Float] {
    var packed = [Float](repeating: 0, count: set.table.packed_count(values.count, 1))
    set.table.pack(values, values.count, 1, &packed)
    var result = [Float](repeating: 0, count: values.count)
    [Float(1)].withUnsafeBufferPointer { one in
      var operand = ck_operand(
        data: one.baseAddress, rows: 1, stride: 1, groups: 1, group_stride: 0, segments: 1,
        segment_stride: 0, k: 1)
      set.table.gemm(
        &operand, packed, nil, values.count, &result, values.count, CK_EPILOGUE_SWISH, 1)
    }
    return result
  }

  /// The kernels' own exp over its whole range, seen through swish.
  @Test(arguments: InstructionSet.here)
  func swishOverTheWholeRange(_ set: InstructionSet) {
    let original: [Float] = stride(from: -100, through: 100, by: 0.0137).map { $0 }
    let values = swish(original, set)
    var inPlace = original
    set.table.swish(&inPlace, inPlace.count)
    for (x, y) in zip(original + original, values + inPlace) {
      let expected = Double(x) * sigmoid(Double(x))
      #expect(
        abs(Double(y) - expected) <= 1e-6 * abs(expected) + 1e-35, "swish(\(x)) is \(y)")
    }
  }

  @Test(arguments: InstructionSet.here)
  func extremesStayFinite(_ set: InstructionSet) {
    let extremes: [Float] = [
      100, -100, 1e4, -1e4, 0, -0.0, 88, 88.8, -87, -87.4, -88.8, 1e-38, 1e30, -1e30,
    ]
    let n = extremes.count
    for (x, y) in zip(extremes, swish(extremes, set)) {
      #expect(y.isFinite && abs(y - max(0, x)) < 0.3, "swish(\(x)) is \(y)")
    }
    var gated = [Float](repeating: 0, count: n)
    let ones = [Float](repeating: 1, count: n)
    set.table.glu(ones + extremes, 2 * n, 1, n, &gated, n)
    for (x, y) in zip(extremes, gated) {
      #expect(abs(Double(y) - sigmoid(Double(x))) < 1e-6, "sigmoid(\(x)) is \(y)")
    }
    var logProbs: [Float] = [100, -100, 1e4, -1e4]
    set.table.log_softmax(&logProbs, 4, 1, 4)
    #expect(logProbs == [-9900, -10100, 0, -20000])
  }

  @Test(arguments: InstructionSet.here)
  func everyHalf(_ set: InstructionSet) {
    let halves = (0...UInt16.max).map { $0 }
    var floats = [Float](repeating: 0, count: halves.count)
    // The first infinity is 0x7C00.
    #expect(set.table.half_to_float(halves, &floats, halves.count) == 0x7C00)
    for (half, float) in zip(halves, floats) {
      let expected = Float(Float16(bitPattern: half))
      #expect(
        float.bitPattern == expected.bitPattern || float.isNaN && expected.isNaN,
        "half \(half) is \(float)")
    }
    let finite = halves.filter { Float16(bitPattern: $0).isFinite }
    #expect(set.table.half_to_float(finite, &floats, finite.count) == -1)
  }

  @Test(arguments: InstructionSet.here)
  func firstNotFinite(_ set: InstructionSet) {
    let find = set.table.first_not_finite!
    #expect(find([], 0) == -1)
    // Past one and two of the kernel's portions of 4096.
    for count in [1, 7, 16, 33, 4096, 4097, 9001] {
      var values = [Float](repeating: Float.greatestFiniteMagnitude, count: count)
      #expect(find(values, count) == -1)
      let positions = count < 100 ? Array(0..<count) : Array(stride(from: 0, to: count, by: 61))
      for position in positions + [count - 1] {
        for bad in [Float.nan, .infinity, -.infinity, .signalingNaN] {
          values[position] = bad
          #expect(find(values, count) == position)
          // Another one after it does not hide it.
          let (last, kept) = (count - 1, values[count - 1])
          values[last] = .nan
          #expect(find(values, count) == position)
          values[last] = kept
        }
        values[position] = -1
      }
    }
    #expect(find([0, -0.0, .leastNonzeroMagnitude, -.greatestFiniteMagnitude], 4) == -1)
  }
}

extension KernelTests.Rows {
  fileprivate func adding(_ offset: Float) -> Self { Self(copying: self, offset: offset) }

  private init(copying rows: Self, offset: Float) {
    (self.rows, self.columns, self.stride) = (rows.rows, rows.columns, rows.stride)
    values = rows.values.map { $0 + offset }
    original = values
  }

  /// Calls `body` with memory that it reads and writes, and the stride.
  fileprivate mutating func inPlace(_ body: (UnsafeMutablePointer<Float>, Int) -> Void) {
    let stride = stride
    values.withUnsafeMutableBufferPointer { body($0.baseAddress!, stride) }
  }
}
