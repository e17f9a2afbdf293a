import CKernels
import Foundation
import TestSupport
import Testing

/// `attention` and `gathered_attention` of every instruction set against Double arithmetic.
struct AttentionKernelTests {
  private func softmax(_ x: [Double]) -> [Double] {
    let top = x.max() ?? 0
    let sum = x.reduce(0) { $0 + exp($1 - top) }
    return x.map { exp($0 - top) / sum }
  }

  /// Random operands of one block, and its attention in Double.
  private struct Block {
    let (rows, keys, heads, depth): (Int, Int, Int, Int)
    let queries, keyRows, valueRows, biasU, biasV, positions: [Float]
    var width: Int { heads * depth }
    var queryStride: Int { width + 3 }
    var keyStride: Int { width + 5 }
    var positionStride: Int { rows + keys - 1 + 7 }

    init(_ shape: [Int], deviation: Float = 1, _ generator: inout SeededGenerator) {
      (rows, keys, heads, depth) = (shape[0], shape[1], shape[2], shape[3])
      let width = heads * depth
      func random(_ count: Int, _ deviation: Float) -> [Float] {
        (0..<count).map { _ in generator.normal(deviation) }
      }
      queries = random(rows * (width + 3), deviation)
      keyRows = random(keys * (width + 5), 1)
      valueRows = random(keys * (width + 5), 1)
      biasU = random(width, 1)
      biasV = random(width, 1)
      // What lies between the rows and behind the last is read and must not matter.
      var positions: [Float] = []
      for _ in 0..<width {
        positions += random(rows + keys - 1, 1) + [Float](repeating: .nan, count: 7)
      }
      self.positions = positions + [Float](repeating: .nan, count: Int(CK_POSITION_PADDING))
    }

    func score(_ i: Int, _ j: Int, head: Int, relative: Bool) -> Double {
      var sum = 0.0
      for c in head * depth..<(head + 1) * depth {
        let query = Double(queries[i * queryStride + c])
        let key = Double(keyRows[j * keyStride + c])
        guard relative else {
          sum += query * key
          continue
        }
        let position = Double(positions[c * positionStride + rows - 1 - i + j])
        sum += (query + Double(biasU[c])) * key + (query + Double(biasV[c])) * position
      }
      return sum * 0.3
    }

    private init(_ block: Block, row: Int) {
      (rows, keys, heads, depth) = (1, block.keys, block.heads, block.depth)
      queries = Array(block.queries[row * block.queryStride..<(row + 1) * block.queryStride])
      (keyRows, valueRows) = (block.keyRows, block.valueRows)
      (biasU, biasV, positions) = (block.biasU, block.biasV, block.positions)
    }

    /// The same with one of its queries.
    func only(_ row: Int) -> Block { Block(self, row: row) }

    /// Packs keys and values in two parts, as a cache and a block are, and runs the kernel.
    func run(_ table: ck_table, relative: Bool, y: inout [Float], weights: inout [Float]) {
      var packed = [Float](
        repeating: .nan, count: table.attention_packed_count(keys, heads, depth))
      let first = keys * 2 / 3
      keyRows.withUnsafeBufferPointer { k in
        valueRows.withUnsafeBufferPointer { v in
          for part in [0..<first, first..<keys] {
            table.pack_attention(
              k.baseAddress! + part.lowerBound * keyStride,
              v.baseAddress! + part.lowerBound * keyStride, keyStride, part.lowerBound,
              part.count, keys, heads, depth, &packed)
          }
        }
      }
      var scratch = [Float](repeating: .nan, count: table.attention_scratch_count(keys, depth))
      withPointers([queries, packed, biasU, biasV, positions]) { p in
        weights.withUnsafeMutableBufferPointer { weights in
          var block = ck_attention()
          (block.queries, block.rows, block.query_stride) = (p[0], rows, queryStride)
          (block.heads, block.depth, block.packed, block.keys) = (heads, depth, p[1], keys)
          if relative {
            (block.bias_u, block.bias_v) = (p[2], p[3])
            (block.positions, block.position_stride) = (p[4], positionStride)
          }
          block.scale = 0.3
          block.weights = weights.baseAddress
          table.attention(&block, &scratch, &y, width + 2)
        }
      }
    }

    private func withPointers(
      _ arrays: [[Float]], _ found: [UnsafePointer<Float>] = [],
      _ body: ([UnsafePointer<Float>]) -> Void
    ) {
      guard let first = arrays.first else { return body(found) }
      first.withUnsafeBufferPointer {
        withPointers(Array(arrays.dropFirst()), found + [$0.baseAddress!], body)
      }
    }
  }

  @Test(
    arguments: InstructionSet.here,
    [
      [1, 1, 1, 4], [3, 17, 2, 33], [12, 32, 1, 16], [13, 33, 2, 44], [25, 100, 4, 44],
      [40, 70, 1, 64], [7, 5, 2, 8], [4, 132, 4, 44], [6, 31, 3, 1],
    ])
  func blockOfQueries(_ set: InstructionSet, shape: [Int]) {
    var generator = SeededGenerator(seed: UInt64(shape[1]))
    let block = Block(shape, &generator)
    for relative in [false, true] {
      var y = [Float](repeating: 7, count: block.rows * (block.width + 2))
      var weights = [Float](repeating: .nan, count: block.heads * block.rows * block.keys)
      block.run(set.table, relative: relative, y: &y, weights: &weights)
      var (worst, worstWeight) = (0.0, 0.0)
      for i in 0..<block.rows {
        for head in 0..<block.heads {
          let expected = softmax(
            (0..<block.keys).map { block.score(i, $0, head: head, relative: relative) })
          for (j, weight) in expected.enumerated() {
            let found = Double(weights[(head * block.rows + i) * block.keys + j])
            worstWeight = max(worstWeight, found.isNaN ? .infinity : abs(found - weight))
          }
          for c in head * block.depth..<(head + 1) * block.depth {
            let value = expected.enumerated().reduce(0) {
              $0 + $1.element * Double(block.valueRows[$1.offset * block.keyStride + c])
            }
            let found = Double(y[i * (block.width + 2) + c])
            worst = max(worst, found.isNaN ? .infinity : abs(found - value))
          }
        }
        let gap = i * (block.width + 2) + block.width
        #expect(y[gap] == 7 && y[gap + 1] == 7, "wrote between rows")
      }
      #expect(worst < 2e-5 && worstWeight < 1e-5, "\(shape), relative: \(relative)")
    }
  }

  /// Scores of thousands leave no infinity and no NaN.
  @Test(arguments: InstructionSet.here)
  func largeScores(_ set: InstructionSet) {
    var generator = SeededGenerator(seed: 3)
    let block = Block([5, 40, 2, 12], deviation: 1e4, &generator)
    var y = [Float](repeating: 0, count: block.rows * (block.width + 2))
    var weights = [Float](repeating: .nan, count: block.heads * block.rows * block.keys)
    block.run(set.table, relative: true, y: &y, weights: &weights)
    #expect(y.allSatisfy { $0.isFinite })
    for row in 0..<block.heads * block.rows {
      let sum = weights[row * block.keys..<(row + 1) * block.keys].reduce(0, +)
      #expect(abs(sum - 1) < 1e-5)
    }
  }

  /// A query's result does not depend on the queries beside it: not even in the last bit.
  @Test(arguments: InstructionSet.here)
  func queriesAlone(_ set: InstructionSet) {
    var generator = SeededGenerator(seed: 4)
    let block = Block([19, 50, 2, 44], &generator)
    var (y, weights) = (
      [Float](repeating: 0, count: 19 * (block.width + 2)),
      [Float](repeating: 0, count: 2 * 19 * 50)
    )
    block.run(set.table, relative: false, y: &y, weights: &weights)
    for row in [0, 7, 18] {
      let alone = block.only(row)
      var (found, rest) = (
        [Float](repeating: 0, count: block.width + 2), [Float](repeating: 0, count: 2 * 50)
      )
      alone.run(set.table, relative: false, y: &found, weights: &rest)
      #expect(
        found[..<block.width].elementsEqual(
          y[row * (block.width + 2)..<row * (block.width + 2) + block.width]))
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
    for table in InstructionSet.here.map(\.table) {
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
