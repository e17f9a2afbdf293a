import Conformer
import Foundation
import TestSupport

/// The encoder once more, as plain loops in Double that share no code with the library: the
/// parallel block form of the specification (§5b), every layer over all blocks at once.
struct ReferenceEncoder: Sendable {
  typealias Rows = [[Double]]

  struct Output {
    /// Log-probabilities of the final frames, and of each block's look-ahead frames.
    var final: Rows = []
    var lookAhead: [Rows] = []
    /// Final frames after each layer.
    var layers: [Rows] = []
  }

  private let config: ModelConfig
  private let tensors: [String: [Double]]

  init(directory: String) throws {
    config = try ModelConfig.load(directory + "/config.json")
    let table = try TensorTable(directory + "/model.safetensors")
    var tensors: [String: [Double]] = [:]
    for name in table.names { tensors[name] = try table[name].map(Double.init) }
    self.tensors = tensors
  }

  /// - Parameter mel: [frames][mels].
  func run(_ mel: Rows, _ shape: BlockShape) -> Output {
    let x = subsample(mel)
    let starts = Array(stride(from: 0, to: x.count, by: shape.newFrames))
    var blocks = starts.map { start in
      Array(x[start..<min(start + shape.newFrames + shape.lookAheadFrames, x.count)])
    }
    func finals(_ blocks: [Rows]) -> Rows { blocks.flatMap { $0.prefix(shape.newFrames) } }
    var output = Output()
    for layer in 0..<config.encoder.layers {
      let name = "encoder.layers.\(layer)."
      blocks = blocks.map { feedForward($0, name, "feed_forward1") }
      blocks = attention(blocks, starts: starts, finals: finals, left: shape.leftContext, name)
      blocks = convolution(
        blocks, starts: starts, finals: finals,
        cutOffLength: shape.newFrames + shape.lookAheadFrames, name)
      blocks = blocks.map { feedForward($0, name, "feed_forward2") }
      blocks = blocks.map { norm($0, name + "norm_out") }
      output.layers.append(finals(blocks))
    }
    for block in blocks {
      let logProbs = linear(block, "ctc").map { row in
        let top = row.max()!
        let sum = row.reduce(0) { $0 + exp($1 - top) }
        return row.map { $0 - top - log(sum) }
      }
      output.final += logProbs.prefix(shape.newFrames)
      output.lookAhead.append(Array(logProbs.dropFirst(shape.newFrames)))
    }
    return output
  }

  // MARK: - Layers

  private func feedForward(_ x: Rows, _ layer: String, _ name: String) -> Rows {
    let inner = linear(norm(x, layer + "norm_" + name), layer + name + ".linear1")
      .map { $0.map { $0 * sigmoid($0) } }
    return sum(x, linear(inner, layer + name + ".linear2"), scale: 0.5)
  }

  private func attention(
    _ blocks: [Rows], starts: [Int], finals: ([Rows]) -> Rows, left: Int?, _ layer: String
  ) -> [Rows] {
    let (d, heads) = (config.encoder.width, config.encoder.heads)
    let (depth, name) = (d / heads, layer + "self_attn.")
    let normed = blocks.map { norm($0, layer + "norm_self_att") }
    let queries = normed.map { linear($0, name + "linear_q") }
    let keys = normed.map { linear($0, name + "linear_k") }
    let values = normed.map { linear($0, name + "linear_v") }
    let (finalKeys, finalValues) = (finals(keys), finals(values))
    let (u, v) = (tensors[name + "pos_bias_u"]!, tensors[name + "pos_bias_v"]!)
    let frames = finalKeys.count
    // positions[frames - 1 + r] = W_p PE(r)
    let positions = linear(
      (1 - frames..<max(frames, 1)).map(sinusoids), name + "linear_pos", bias: false)

    return blocks.indices.map { b in
      let start = starts[b]
      let first = max(0, start - (left ?? start))
      let seenKeys = finalKeys[first..<start] + keys[b]
      let seenValues = finalValues[first..<start] + values[b]
      let context: Rows = queries[b].enumerated().map { row, query in
        var result = [Double](repeating: 0, count: d)
        for head in 0..<heads {
          let range = head * depth..<(head + 1) * depth
          let scores = seenKeys.enumerated().map { column, key in
            let position = positions[frames - 1 + (start + row) - (first + column)]
            var score = 0.0
            for i in range {
              score += (query[i] + u[i]) * key[i] + (query[i] + v[i]) * position[i]
            }
            return score / Double(depth).squareRoot()
          }
          let top = scores.max()!
          let weights = scores.map { exp($0 - top) }
          let total = weights.reduce(0, +)
          for (weight, value) in zip(weights, seenValues) {
            for i in range { result[i] += weight / total * value[i] }
          }
        }
        return result
      }
      return sum(blocks[b], linear(context, name + "linear_out"), scale: 1)
    }
  }

  /// - Parameter cutOffLength: C + R; blocks of so many frames have edges.
  private func convolution(
    _ blocks: [Rows], starts: [Int], finals: ([Rows]) -> Rows, cutOffLength: Int, _ layer: String
  ) -> [Rows] {
    let (d, taps, name) = (config.encoder.width, config.encoder.convolutionKernel, layer + "conv.")
    let gated = blocks.map { block in
      linear(norm(block, layer + "norm_conv"), name + "pointwise_conv1").map { row in
        (0..<d).map { row[$0] * sigmoid(row[d + $0]) }
      }
    }
    let earlier = finals(gated)
    let weight = tensors[name + "depthwise_conv.weight"]!
    let bias = tensors[name + "depthwise_conv.bias"]!
    let (gamma, beta) = (
      tensors[name + "batch_norm.weight"]!, tensors[name + "batch_norm.bias"]!
    )
    let mean = tensors[name + "batch_norm.running_mean"]!
    let variance = tensors[name + "batch_norm.running_var"]!
    // [frames to the right][tap, the block's last frame first][channel]
    let (edge, edgeTaps) = (tensors[name + "edge_kernels"], config.encoder.edgeTaps ?? 0)
    return blocks.indices.map { b in
      let (start, own) = (starts[b], gated[b])
      let convolved: Rows = own.indices.map { row in
        (0..<d).map { channel in
          var value = bias[channel]
          for tap in 0..<taps {
            let frame = start + row + tap - taps / 2
            if frame < 0 || frame >= start + own.count { continue }
            let input = frame < start ? earlier[frame] : own[frame - start]
            value += weight[channel * taps + tap] * input[channel]
          }
          let right = own.count - 1 - row
          if let edge, own.count == cutOffLength, right < taps / 2 {
            for tap in 0..<edgeTaps {
              let frame = start + own.count - 1 - tap
              if frame < 0 { continue }
              let input = frame < start ? earlier[frame] : own[frame - start]
              value += edge[(right * edgeTaps + tap) * d + channel] * input[channel]
            }
          }
          value =
            (value - mean[channel]) / (variance[channel] + 1e-5).squareRoot() * gamma[channel]
            + beta[channel]
          return value * sigmoid(value)
        }
      }
      return sum(blocks[b], linear(convolved, name + "pointwise_conv2"), scale: 1)
    }
  }

  // MARK: - Subsampling of the whole signal

  private func subsample(_ mel: Rows) -> Rows {
    // [channel][time][frequency]
    var maps = convolved([mel], "encoder.pre_encode.conv.0")
    maps = convolved(maps, "encoder.pre_encode.conv.2")
    let flat = maps[0].indices.map { time in maps.flatMap { $0[time] } }
    let scale = config.encoder.scalesInput ? Double(config.encoder.width).squareRoot() : 1
    return linear(flat, "encoder.pre_encode.out").map { $0.map { $0 * scale } }
  }

  /// 3×3, stride 2, padding 1, ReLU.
  private func convolved(_ input: [Rows], _ name: String) -> [Rows] {
    let (weight, bias) = (tensors[name + ".weight"]!, tensors[name + ".bias"]!)
    let (times, bins) = (input[0].count, input[0][0].count)
    return bias.indices.map { output in
      stride(from: 0, to: times, by: 2).map { time in
        stride(from: 0, to: bins, by: 2).map { bin in
          var value = bias[output]
          for channel in input.indices {
            for i in 0..<3 where (0..<times).contains(time + i - 1) {
              for j in 0..<3 where (0..<bins).contains(bin + j - 1) {
                value +=
                  weight[((output * input.count + channel) * 3 + i) * 3 + j]
                  * input[channel][time + i - 1][bin + j - 1]
              }
            }
          }
          return max(0, value)
        }
      }
    }
  }

  // MARK: - Parts

  private func linear(_ x: Rows, _ name: String, bias: Bool = true) -> Rows {
    let weight = tensors[name + ".weight"]!
    let bias = bias ? tensors[name + ".bias"]! : []
    return x.map { row in
      let outputs = weight.count / row.count
      return (0..<outputs).map { output in
        var value = bias.isEmpty ? 0 : bias[output]
        for input in row.indices { value += weight[output * row.count + input] * row[input] }
        return value
      }
    }
  }

  private func norm(_ x: Rows, _ name: String) -> Rows {
    let (gamma, beta) = (tensors[name + ".weight"]!, tensors[name + ".bias"]!)
    return x.map { row in
      let mean = row.reduce(0, +) / Double(row.count)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(row.count)
      return row.indices.map {
        (row[$0] - mean) / (variance + 1e-5).squareRoot() * gamma[$0] + beta[$0]
      }
    }
  }

  private func sinusoids(_ position: Int) -> [Double] {
    let d = config.encoder.width
    return (0..<d).map { index in
      let angle = Double(position) / pow(10_000, Double(index / 2 * 2) / Double(d))
      return index % 2 == 0 ? sin(angle) : cos(angle)
    }
  }

  private func sum(_ x: Rows, _ y: Rows, scale: Double) -> Rows {
    zip(x, y).map { a, b in zip(a, b).map { $0 + scale * $1 } }
  }

  private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
}
