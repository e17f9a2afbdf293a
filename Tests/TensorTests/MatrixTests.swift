import COpenBLAS
import Foundation
import Tensor
import TestSupport
import Testing

/// Views, scratch memory, products and the layers made of them.
struct MatrixTests {
  private func random(_ count: Int, _ seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in generator.normal(1) }
  }

  // MARK: - MatrixView

  @Test func viewsShareMemory() {
    let storage = FloatStorage((0..<20).map(Float.init))
    defer { withExtendedLifetime(storage) {} }
    let view = storage.view(columns: 5)
    #expect(view.rows == 4 && view.columns == 5 && view.stride == 5)
    let part = view.rows(1..<3).columns(2..<4)
    #expect(part.rows == 2 && part.columns == 2 && part.stride == 5)
    #expect(part.values == [7, 8, 12, 13])
    part.fill(-1)
    #expect(
      storage.values == [0, 1, 2, 3, 4, 5, 6, -1, -1, 9, 10, 11, -1, -1] + (14..<20).map(Float.init)
    )
    part.copy(from: view.rows(0..<2).columns(0..<2))
    #expect(part.values == [0, 1, 5, 6])
    #expect(view.rows(2..<2).values.isEmpty && view.columns(0..<0).values.isEmpty)
    #expect(storage.values[9] == 9 && storage.values[14] == 14)
  }

  @Test func storageIsAlignedAndZero() {
    for count in [0, 1, 15, 1000] {
      let storage = FloatStorage(count: count)
      #expect(Int(bitPattern: storage.pointer) % 64 == 0)
      #expect(storage.values == Array(repeating: 0, count: count))
    }
  }

  // MARK: - ScratchArena

  @Test func scopesGiveMemoryBack() {
    let arena = ScratchArena()
    let outer = arena.matrix(rows: 3, columns: 5)
    outer.fill(1)
    let first = arena.scope {
      let inner = arena.matrix(rows: 100, columns: 7)
      inner.fill(2)
      return inner.pointer
    }
    let again = arena.scope { arena.matrix(rows: 2, columns: 2).pointer }
    #expect(first == again)
    #expect(outer.values == Array(repeating: 1, count: 15), "scratch matrices overlap")
    struct Failure: Error {}
    #expect(throws: Failure.self) {
      try arena.scope {
        _ = arena.matrix(rows: 9, columns: 9)
        throw Failure()
      }
    }
    #expect(arena.scope { arena.matrix(rows: 1, columns: 1).pointer } == first)
  }

  @Test func matricesAreAlignedAndDisjoint() {
    let arena = ScratchArena()
    var generator = SeededGenerator(seed: 6)
    arena.scope {
      var matrices: [MatrixView] = []
      for index in 0..<200 {
        let rows = Int.random(in: 0...60, using: &generator)
        let columns = Int.random(in: 1...(index % 20 == 0 ? 3000 : 60), using: &generator)
        let matrix = arena.matrix(rows: rows, columns: columns)
        #expect(Int(bitPattern: matrix.pointer) % 64 == 0)
        #expect(matrix.rows == rows && matrix.columns == columns && matrix.stride == columns)
        matrix.fill(Float(index))
        matrices.append(matrix)
      }
      for (index, matrix) in matrices.enumerated() {
        #expect(matrix.values.allSatisfy { $0 == Float(index) })
      }
    }
  }

  @Test func noMemoryAfterTheLargestStep() {
    let arena = ScratchArena()
    func step(_ rows: Int) {
      arena.scope {
        _ = arena.matrix(rows: rows, columns: 300)
        arena.scope {
          _ = arena.matrix(rows: rows, columns: 1000)
          arena.scope { _ = arena.matrix(rows: 1, columns: rows * 2000) }
        }
        _ = arena.matrix(rows: rows, columns: 700)
      }
    }
    step(100)
    let bytes = arena.byteCount
    #expect(bytes >= 4 * 330_000)
    for round in 0..<500 { step(round % 7 == 0 ? 100 : 1 + round % 100) }
    #expect(arena.byteCount == bytes)
  }

  // MARK: - Products and layers

  /// x · Wᵀ in Double. x: [rows][inputs]; w: [outputs, inputs].
  private func product(_ x: MatrixView, _ w: [Float]) -> [[Double]] {
    (0..<x.rows).map { row in
      (0..<w.count / x.columns).map { output in
        (0..<x.columns).reduce(0) {
          $0 + Double(x.pointer[row * x.stride + $1]) * Double(w[output * x.columns + $1])
        }
      }
    }
  }

  private func expectEqual(
    _ found: MatrixView, _ expected: [[Double]], _ name: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(
      largestDifference(found.values, expected.flatMap { $0.map(Float.init) }) < 5e-5, "\(name)",
      sourceLocation: sourceLocation)
  }

  /// The packed product and OpenBLAS's agree at every shape of the shipped model.
  @Test(arguments: [
    (176, 528), (176, 176), (176, 352), (176, 704), (704, 176), (1584, 176), (3520, 176),
  ])
  func openBLASAgrees(inputs: Int, outputs: Int) {
    openblas_set_num_threads(1)
    for rows in [1, 4, 16, 50] {
      let (x, weight) = (random(rows * inputs, 1), random(outputs * inputs, 2))
      var expected = [Float](repeating: 0, count: rows * outputs)
      cblas_sgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, blasint(rows), blasint(outputs), blasint(inputs),
        1, x, blasint(inputs), weight, blasint(inputs), 0, &expected, blasint(outputs))
      let layer = Linear(weight: FloatStorage(weight), bias: nil, inputs: inputs)
      let (input, output) = (FloatStorage(x), FloatStorage(count: rows * outputs))
      layer.apply(input.view(columns: inputs), into: output.view(columns: outputs))
      #expect(largestDifference(output.values, expected) < 1e-6 * Float(inputs))
    }
  }

  @Test(arguments: [(1, 1, 2), (5, 16, 32), (3, 44, 17), (9, 176, 1025)])
  func linear(rows: Int, inputs: Int, outputs: Int) {
    let weight = random(inputs * outputs, 3).map { $0 / Float(inputs).squareRoot() }
    let bias = random(outputs, 4)
    let layer = Linear(
      weight: FloatStorage(weight), bias: FloatStorage(bias), inputs: inputs)
    #expect(layer.inputs == inputs && layer.outputs == outputs)
    let scratch = ScratchArena()
    let memory = [
      FloatStorage(random(rows * (inputs + 2), 5)), FloatStorage(random(rows * (outputs + 3), 6)),
      FloatStorage(count: rows * 3 * outputs),
    ]
    defer { withExtendedLifetime(memory) {} }
    let x = memory[0].view(columns: inputs + 2).columns(1..<inputs + 1)
    let plain = product(x, weight).map { zip($0, bias).map { $0 + Double($1) } }
    let y = memory[1].view(columns: outputs + 3).columns(0..<outputs)
    let before = y.values

    layer.add(x, to: y, scale: 0.5)
    expectEqual(
      y,
      plain.enumerated().map { row, values in
        values.enumerated().map { Double(before[row * outputs + $0]) + 0.5 * $1 }
      }, "add")
    layer.apply(x, into: y)
    expectEqual(y, plain, "apply")
    layer.apply(x, into: y, activation: .relu)
    expectEqual(y, plain.map { $0.map { max(0, $0) } }, "relu")
    layer.apply(x, into: y, activation: .swish)
    expectEqual(y, plain.map { $0.map { $0 / (1 + exp(-$0)) } }, "swish")
    layer.applyLogSoftmax(x, into: y)
    expectEqual(
      y, plain.map { row in row.map { $0 - log(row.reduce(0) { $0 + exp($1) }) } }, "log softmax")

    let half = outputs / 2
    if outputs % 2 == 0 {
      let gated = y.columns(0..<half)
      layer.applyGLU(x, into: gated, scratch: scratch)
      expectEqual(
        gated, plain.map { row in (0..<half).map { row[$0] / (1 + exp(-row[half + $0])) } }, "GLU")
    }

    let unbiased = Linear(weight: FloatStorage(weight), bias: nil, inputs: inputs)
    unbiased.apply(x, into: y)
    expectEqual(y, product(x, weight), "without bias")
  }

  /// The windows of a 3 × 3 convolution of stride 2 against the same windows unfolded.
  @Test(arguments: [(1, 1, 4), (2, 5, 7), (7, 20, 16)])
  func linearOverWindows(frames: Int, perRow: Int, channels: Int) {
    let (inputs, outputs, columns) = (9 * channels, 19, (2 * perRow + 1) * channels)
    let weight = random(inputs * outputs, 11)
    let bias = random(outputs, 12)
    let layer = Linear(weight: FloatStorage(weight), bias: FloatStorage(bias), inputs: inputs)
    let memory = [
      FloatStorage(random((2 * frames + 1) * columns, 13)),
      FloatStorage(count: frames * perRow * inputs), FloatStorage(count: frames * perRow * outputs),
    ]
    defer { withExtendedLifetime(memory) {} }
    let x = memory[0].view(columns: columns)
    let windows = memory[1].view(columns: inputs)
    for window in 0..<frames * perRow {
      for segment in 0..<3 {
        let row = x.pointer + (2 * (window / perRow) + segment) * columns
        (windows.pointer + window * inputs + segment * 3 * channels)
          .update(from: row + 2 * channels * (window % perRow), count: 3 * channels)
      }
    }
    let y = memory[2].view(columns: outputs)
    layer.applyToWindows(
      of: x, segments: 3, rowStep: 2, columnStep: 2 * channels, perRow: perRow, into: y,
      activation: .relu)
    expectEqual(
      y, product(windows, weight).map { zip($0, bias).map { max(0, $0 + Double($1)) } }, "windows")
  }

  /// The same to the last bit, whatever else runs on other threads.
  @Test func threadsChangeNothing() {
    let layer = Linear(
      weight: FloatStorage(random(44 * 50, 14)), bias: FloatStorage(random(50, 15)), inputs: 44)
    let memory = [FloatStorage(random(333 * 44, 16)), FloatStorage(count: 333 * 50)]
    defer { withExtendedLifetime(memory) {} }
    let (x, y) = (memory[0].view(columns: 44), memory[1].view(columns: 50))
    layer.apply(x, into: y, activation: .swish)
    let alone = y.values
    defer { Parallel.setThreads(1) }
    for threads in [2, 3, 16] {
      Parallel.setThreads(threads)
      y.fill(.nan)
      layer.apply(x, into: y, activation: .swish)
      #expect(y.values == alone)
    }
  }

  @Test func layerNormInPlace() {
    let (gamma, beta) = (random(44, 7), random(44, 8))
    let layer = LayerNorm(gamma: FloatStorage(gamma), beta: FloatStorage(beta))
    let memory = FloatStorage(random(5 * 44, 9))
    defer { withExtendedLifetime(memory) {} }
    let x = memory.view(columns: 44)
    let expected = (0..<5).map { row in
      let values = x.rows(row..<row + 1).values.map(Double.init)
      let mean = values.reduce(0, +) / 44
      let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 44
      return (0..<44).map {
        (values[$0] - mean) / (variance + 1e-5).squareRoot() * Double(gamma[$0])
          + Double(beta[$0])
      }
    }
    layer.apply(x, into: x)
    expectEqual(x, expected, "layer norm")
  }
}
