import Conformer
import Foundation

/// The decoder of `specs/reference.md` §5.6 written for reading, in Double, one sequence at a time.
struct NaiveDecoder {
  typealias Rows = [[Double]]
  let config: DecoderConfig
  let side: String
  let layers: Int
  let weights: [String: [Float]]

  /// Log-probabilities after each of `[startEnd] + tokens` [tokens + 1, vocabulary], the same of
  /// the auxiliary heads, and the cross-attention weights [layers][heads][tokens + 1][frames].
  func run(
    _ tokens: [Int], frames: Rows
  ) -> (logProbs: Rows, auxiliary: [Rows], cross: [[Rows]]) {
    let d = config.width
    let places = config.positionWidth ?? 0
    let frames = frames.enumerated().map { place, frame in
      frame + (0..<places).map { sinusoid(place, index: $0, width: places) }
    }
    let embedding = weights["decoder.\(side).embed.weight"]!
    var x: Rows = ([config.startEnd] + tokens).enumerated().map { position, token in
      (0..<d).map { index in
        Double(embedding[token * d + index]) * Double(d).squareRoot()
          + sinusoid(position, index: index, width: d)
      }
    }
    var auxiliary: [Rows] = []
    var cross: [[Rows]] = []
    for layer in 0..<layers {
      let name = "layers.\(layer)."
      let normed = norm(x, name + "norm1")
      x = sum(x, attention(normed, normed, name + "self_attn", causal: true).output)
      let (output, used) = attention(
        norm(x, name + "norm2"), frames, name + "src_attn", causal: false)
      cross.append(used)
      x = sum(x, output)
      let inner = linear(norm(x, name + "norm3"), name + "feed_forward.w_1")
      x = sum(x, linear(inner.map { $0.map { max($0, 0) } }, name + "feed_forward.w_2"))
      if side == "left", config.auxiliaryHeads?.contains(layer) == true {
        auxiliary.append(linear(x, "auxiliary.\(layer)").map(logSoftmax))
      }
    }
    return (linear(norm(x, "after_norm"), "output_layer").map(logSoftmax), auxiliary, cross)
  }

  private func sinusoid(_ position: Int, index: Int, width: Int) -> Double {
    let angle = Double(position) / pow(10_000, Double(index / 2 * 2) / Double(width))
    return index % 2 == 0 ? sin(angle) : cos(angle)
  }

  private func attention(
    _ queries: Rows, _ memory: Rows, _ name: String, causal: Bool
  ) -> (output: Rows, weights: [Rows]) {
    let depth = config.width / config.heads
    let q = linear(queries, name + ".linear_q")
    let k = linear(memory, name + ".linear_k")
    let v = linear(memory, name + ".linear_v")
    var context = Rows(
      repeating: Array(repeating: 0, count: config.width), count: queries.count)
    var used: [Rows] = []
    for head in 0..<config.heads {
      let part = head * depth..<(head + 1) * depth
      used.append([])
      for i in q.indices {
        let scores = k.indices.map { j -> Double in
          if causal && j > i { return -Double.infinity }
          return part.reduce(0) { $0 + q[i][$1] * k[j][$1] } / Double(depth).squareRoot()
        }
        let weights = logSoftmax(scores).map { exp($0) }
        for c in part { context[i][c] = k.indices.reduce(0) { $0 + weights[$1] * v[$1][c] } }
        used[head].append(weights)
      }
    }
    return (linear(context, name + ".linear_out"), used)
  }

  private func linear(_ x: Rows, _ name: String) -> Rows {
    let weight = weights["decoder.\(side).\(name).weight"]!
    let bias = weights["decoder.\(side).\(name).bias"]!
    return x.map { row in
      bias.indices.map { out in
        row.indices.reduce(Double(bias[out])) {
          $0 + row[$1] * Double(weight[out * row.count + $1])
        }
      }
    }
  }

  private func norm(_ x: Rows, _ name: String) -> Rows {
    let gamma = weights["decoder.\(side).\(name).weight"]!
    let beta = weights["decoder.\(side).\(name).bias"]!
    return x.map { row in
      let mean = row.reduce(0, +) / Double(row.count)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
      return row.indices.map {
        (row[$0] - mean) / (variance + 1e-5).squareRoot() * Double(gamma[$0]) + Double(beta[$0])
      }
    }
  }

  private func logSoftmax(_ x: [Double]) -> [Double] {
    guard let top = x.max() else { return [] }
    let sum = x.reduce(0) { $0 + exp($1 - top) }
    return x.map { $0 - top - log(sum) }
  }

  private func sum(_ a: Rows, _ b: Rows) -> Rows { zip(a, b).map { zip($0, $1).map { $0 + $1 } } }
}
