import Foundation
import Tensor

/// Silero VAD for 16 kHz (MIT, Silero Team): the probability of speech in each 32 ms of sound.
///
/// A short-time Fourier transform as a convolution, four convolutions and an LSTM cell
/// (`specs/reference.md` §7.13). Immutable; any number of streams share one, each with a
/// `SileroVADState`.
public struct SileroVAD: Sendable {
  /// Samples per second that it is made for.
  public static let sampleRate = 16_000
  /// New samples per step, 32 ms.
  public static let stepSamples = 512
  /// Samples of the step before that a step hears again.
  static let contextSamples = 64
  /// Width of the LSTM cell.
  static let width = 128

  private static let bins = 129
  private static let window = 256
  private static let shift = 128
  private static let columns = 4

  private let transform: Linear  // [256, 258], real parts then imaginary parts
  private let convolutions: [Convolution]
  private let gates: Linear  // [input and h, (i, f, g, o)]
  private let output: Linear

  /// A convolution of three taps, padded by one, with ReLU.
  private struct Convolution: Sendable {
    var linear: Linear  // [3 · channels, outputs]
    var stride: Int
  }

  /// Reads a safetensors file of the weights.
  public init(path: String) throws(WeightError) {
    let reader = WeightReader(try SafetensorsFile(path: path))
    try self.init(reader)
    try reader.requireAllUsed()
  }

  /// - Parameter reader: at the tensors of the detector.
  public init(_ reader: WeightReader) throws(WeightError) {
    transform = Linear(
      weight: try reader["stft_conv"].tensor("weight", [2 * Self.bins, 1, Self.window]), bias: nil,
      inputs: Self.window)
    var convolutions: [Convolution] = []
    let layers = [(Self.bins, 128, 1), (128, 64, 2), (64, 64, 2), (64, 128, 1)]
    for (index, (inputs, outputs, stride)) in layers.enumerated() {
      let tensors = reader["conv\(index + 1)"]
      // [out, in, taps] -> [out, (taps, in)]: the rows of a window lie together in memory.
      let weight = try tensors.linearWeight([outputs, inputs, 3])
        .exchangingLastAxes([outputs, inputs, 3])
      let linear = Linear(
        weight: weight, bias: try tensors.tensor("bias", [outputs]), inputs: 3 * inputs)
      convolutions.append(Convolution(linear: linear, stride: stride))
    }
    self.convolutions = convolutions
    gates = try Self.gates(reader["lstm_cell"])
    output = try reader["final_conv"].linear(inputs: Self.width, outputs: 1, trailing: [1])
  }

  /// Both products of the cell as one over the input and the hidden state side by side.
  private static func gates(_ cell: WeightReader) throws(WeightError) -> Linear {
    let ofInput = try cell.tensor("weight_ih", [4 * width, width])
    let ofHidden = try cell.tensor("weight_hh", [4 * width, width])
    let bias = try cell.tensor("bias_ih", [4 * width])
    let second = try cell.tensor("bias_hh", [4 * width])
    let weight = FloatStorage(count: 8 * width * width)
    let both = weight.view(columns: 2 * width)
    both.columns(0..<width).copy(from: ofInput.view(columns: width))
    both.columns(width..<2 * width).copy(from: ofHidden.view(columns: width))
    for gate in 0..<4 * width { bias.pointer[gate] += second.pointer[gate] }
    return Linear(weight: weight, bias: bias, inputs: 2 * width)
  }

  /// The probability that the next 512 samples of a stream hold speech.
  ///
  /// - Parameter samples: `stepSamples` samples in ±1.
  /// - Returns: 0 where samples that are not finite leave no number; the state then starts afresh.
  public func probability(
    _ samples: UnsafeBufferPointer<Float>, state: inout SileroVADState, scratch: ScratchArena
  ) -> Float {
    precondition(samples.count == Self.stepSamples, "\(samples.count) samples are no step")
    return scratch.scope {
      let signal = extended(samples, state: &state, scratch: scratch)
      var hidden = magnitudes(signal, scratch: scratch)
      for convolution in convolutions {
        hidden = convolve(hidden, convolution, scratch: scratch)
      }
      let features = hidden.rows(1..<2)  // between its two padding rows
      stepCell(features, state: &state, scratch: scratch)
      let result = scratch.matrix(rows: 1, columns: 1)
      let positive = scratch.matrix(rows: 1, columns: Self.width)
      for index in 0..<Self.width { positive.pointer[index] = max(state.hidden[index], 0) }
      output.apply(positive, into: result)
      let probability = sigmoid(result.pointer[0])
      if probability.isFinite { return probability }
      // A NaN or an infinity in the samples must not silence the rest of the stream.
      state = SileroVADState()
      return 0
    }
  }

  /// The end of the step before, the new samples, and their last 64 mirrored. [1, 640]
  private func extended(
    _ samples: UnsafeBufferPointer<Float>, state: inout SileroVADState, scratch: ScratchArena
  ) -> MatrixView {
    let (context, count) = (Self.contextSamples, Self.contextSamples + Self.stepSamples)
    let signal = scratch.matrix(rows: 1, columns: count + context)
    for index in 0..<context { signal.pointer[index] = state.context[index] }
    (signal.pointer + context).update(from: samples.baseAddress!, count: Self.stepSamples)
    for index in 0..<context {
      signal.pointer[count + index] = signal.pointer[count - 2 - index]
      state.context[index] = signal.pointer[count - context + index]
    }
    return signal
  }

  /// Magnitudes of the four windows between two rows of zeros, which the next convolution pads.
  /// [1 + 4 + 1, 129]
  private func magnitudes(_ signal: MatrixView, scratch: ScratchArena) -> MatrixView {
    let result = scratch.matrix(rows: Self.columns + 2, columns: Self.bins)
    let spectra = scratch.matrix(rows: Self.columns, columns: 2 * Self.bins)
    let windows = scratch.matrix(rows: Self.columns, columns: Self.window)
    unfold(signal, every: Self.shift, into: windows)
    transform.apply(windows, into: spectra)
    result.fill(0)
    for row in 0..<Self.columns {
      let spectrum = spectra.pointer + row * spectra.stride
      let magnitudes = result.pointer + (row + 1) * result.stride
      for bin in 0..<Self.bins {
        let (real, imaginary) = (spectrum[bin], spectrum[Self.bins + bin])
        magnitudes[bin] = (real * real + imaginary * imaginary).squareRoot()
      }
    }
    return result
  }

  /// padded: [1 + n + 1, channels]; the result likewise between two rows of zeros.
  private func convolve(
    _ padded: MatrixView, _ convolution: Convolution, scratch: ScratchArena
  ) -> MatrixView {
    let (linear, stride) = (convolution.linear, convolution.stride)
    let rows = (padded.rows - 3) / stride + 1
    let result = scratch.matrix(rows: rows + 2, columns: linear.outputs)
    result.rows(0..<1).fill(0)
    result.rows(rows + 1..<rows + 2).fill(0)
    // Three rows that follow one another are one window.
    let windows = scratch.matrix(rows: rows, columns: linear.inputs)
    unfold(padded, every: stride * padded.columns, into: windows)
    linear.apply(windows, into: result.rows(1..<rows + 1), activation: .relu)
    return result
  }

  /// Copies windows that begin every `shift` floats of `source`. windows: [n, floats of a window]
  private func unfold(_ source: MatrixView, every shift: Int, into windows: MatrixView) {
    for row in 0..<windows.rows {
      (windows.pointer + row * windows.stride)
        .update(from: source.pointer + row * shift, count: windows.columns)
    }
  }

  /// One step of the LSTM cell, gates in the order input, forget, cell, output. features: [1, 128]
  private func stepCell(
    _ features: MatrixView, state: inout SileroVADState, scratch: ScratchArena
  ) {
    let width = Self.width
    let input = scratch.matrix(rows: 1, columns: 2 * width)
    input.columns(0..<width).copy(from: features)
    for index in 0..<width { input.pointer[width + index] = state.hidden[index] }
    let values = scratch.matrix(rows: 1, columns: 4 * width)
    gates.apply(input, into: values)
    for index in 0..<width {
      let gate = values.pointer + index
      let cell =
        sigmoid(gate[width]) * state.cell[index] + sigmoid(gate[0]) * tanhf(gate[2 * width])
      state.cell[index] = cell
      state.hidden[index] = sigmoid(gate[3 * width]) * tanhf(cell)
    }
  }

  private func sigmoid(_ x: Float) -> Float { 1 / (1 + expf(-x)) }
}

/// What a `SileroVAD` remembers of one stream between two steps.
public struct SileroVADState: Equatable, Sendable {
  /// Last samples of the step before. [64]
  var context = [Float](repeating: 0, count: SileroVAD.contextSamples)
  var hidden = [Float](repeating: 0, count: SileroVAD.width)
  var cell = [Float](repeating: 0, count: SileroVAD.width)

  /// The state before the first sample.
  public init() {}
}
