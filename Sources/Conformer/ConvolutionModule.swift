import CKernels
import Foundation
import Tensor

/// The Conformer's convolution module: pointwise, GLU, depthwise, batch norm, swish, pointwise
/// (Gulati et al. 2020), the batch norm folded into the depthwise kernel.
struct ConvolutionModule: Sendable {
  private let width: Int
  private let taps: Int
  private let norm: LayerNorm
  private let pointwise1: Linear  // [d, 2 d]
  private let kernel: FloatStorage  // [taps, d]
  private let bias: FloatStorage  // [d]
  private let edge: EdgeKernels?
  private let pointwise2: Linear  // [d, d]
  private static let batchNormEpsilon: Float = 1e-5

  init(_ reader: WeightReader, _ config: EncoderConfig) throws(WeightError) {
    (width, taps) = (config.width, config.convolutionKernel)
    norm = try reader["norm_conv"].layerNorm(width)
    let conv = reader["conv"]
    pointwise1 = try conv["pointwise_conv1"].linear(
      inputs: width, outputs: 2 * width, trailing: [1])
    pointwise2 = try conv["pointwise_conv2"].linear(inputs: width, outputs: width, trailing: [1])
    let scale = try Self.batchNormScale(conv["batch_norm"], width: width)
    (kernel, bias) = try Self.foldedDepthwise(conv, scale: scale, width: width, taps: taps)
    edge = try EdgeKernels(conv, config, scale: scale)
  }

  /// γ/σ of each channel. [d]
  private static func batchNormScale(
    _ batchNorm: WeightReader, width: Int
  ) throws(WeightError) -> FloatStorage {
    let gamma = try batchNorm.tensor("weight", [width])
    let variance = try batchNorm.tensor("running_var", [width])
    return FloatStorage(
      (0..<width).map {
        gamma.pointer[$0] / (variance.pointer[$0] + batchNormEpsilon).squareRoot()
      })
  }

  /// `BN(w ∗ x + b) = (w γ/σ) ∗ x + (b - μ) γ/σ + β`.
  private static func foldedDepthwise(
    _ conv: WeightReader, scale: FloatStorage, width: Int, taps: Int
  ) throws(WeightError) -> (kernel: FloatStorage, bias: FloatStorage) {
    let weight = try conv["depthwise_conv"].tensor("weight", [width, 1, taps])
    let bias = try conv["depthwise_conv"].tensor("bias", [width])
    let beta = try conv["batch_norm"].tensor("bias", [width])
    let mean = try conv["batch_norm"].tensor("running_mean", [width])
    let kernel = FloatStorage(count: taps * width)
    for channel in 0..<width {
      let scale = scale.pointer[channel]
      for tap in 0..<taps {
        kernel.pointer[tap * width + channel] = weight.pointer[channel * taps + tap] * scale
      }
      bias.pointer[channel] =
        (bias.pointer[channel] - mean.pointer[channel]) * scale + beta.pointer[channel]
    }
    return (kernel, bias)
  }

  /// Adds the convolution of each block to `x`, and moves the caches of layer `layer` on.
  /// x: [rows of all blocks, d].
  func step(_ x: MatrixView, blocks: [EncoderBlock], layer: Int, scratch: ScratchArena) {
    scratch.scope {
      let gated = scratch.matrix(rows: x.rows, columns: width)
      let normed = scratch.matrix(rows: x.rows, columns: width)
      norm.apply(x, into: normed)
      pointwise1.applyGLU(normed, into: gated, scratch: scratch)
      let convolved = normed
      for block in blocks {
        convolve(
          gated.rows(block.range), block, cached: block.cache.depthwiseInputs(layer),
          into: convolved.rows(block.range), scratch: scratch)
      }
      pointwise2.add(convolved, to: x)
    }
  }

  /// One block: [n, d] to [n, d]. Beyond its right edge the depthwise input is zero.
  private func convolve(
    _ gated: MatrixView, _ block: EncoderBlock, cached: MatrixView, into result: MatrixView,
    scratch: ScratchArena
  ) {
    scratch.scope {
      let (side, n) = (taps / 2, gated.rows)
      let input = scratch.matrix(rows: side + n + side, columns: width)
      input.rows(0..<side).copy(from: cached)
      input.rows(side..<side + n).copy(from: gated)
      input.rows(side + n..<input.rows).fill(0)
      Parallel.split(rows: n) { rows in
        let part = result.rows(rows).pointer
        Kernels.active.depthwise(
          input.pointer + rows.lowerBound * width, rows.count, width, kernel.pointer, bias.pointer,
          taps, part)
        if block.isCutOff { edge?.add(from: input.rows(0..<side + n), to: result, rows) }
        Kernels.active.swish(part, rows.count * width)
      }
      cached.copy(from: input.rows(block.finalRows..<block.finalRows + side))
    }
  }
}
