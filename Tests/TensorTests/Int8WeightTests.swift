import Foundation
import Tensor
import TestSupport
import Testing

/// int8 layers on disk: `weight` as I8 with `weight_scale` beside it.
final class Int8WeightTests {
  private let folder = Places.temporaryFolder()
  private var path: String { folder + "/model.safetensors" }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private func written(_ tensors: [StoredTensor]) throws -> WeightReader {
    try SafetensorsWriter.write(tensors, to: path)
    return WeightReader(try SafetensorsFile(path: path))
  }

  private func apply(_ layer: Linear, _ x: [Float]) -> [Float] {
    let y = FloatStorage(count: x.count / layer.inputs * layer.outputs)
    x.withMatrix(columns: layer.inputs) { layer.apply($0, into: y.view(columns: layer.outputs)) }
    return y.values
  }

  @Test func layersAreWhatTheirWeightsSay() throws {
    let reader = try written([
      .int8("a.weight", [2, 3], [1, -2, 3, 4, -128, 127]),
      .float32("a.weight_scale", [2], [0.5, 2]),
      .float32("a.bias", [2], [10, 20]),
      .int8("c.weight", [1, 3, 1], [1, 1, 1]), .float16("c.weight_scale", [1], [1]),
    ])
    // With 255 and 0 in each row the activations are whole steps.
    let y = apply(try reader["a"].linear(inputs: 3, outputs: 2), [255, 0, 1, 2, -253, 0])
    #expect(y == [139, 2314, 264, 64_804])
    let single = try reader["c"].linear(inputs: 3, outputs: 1, bias: false, trailing: [1])
    #expect(apply(single, [255, 3, 0]) == [258])
    try reader.requireAllUsed()
  }

  @Test func layersSideBySide() throws {
    var tensors: [StoredTensor] = []
    for (index, name) in ["q", "k", "v"].enumerated() {
      tensors += [
        .int8("\(name).weight", [1, 2], [1, Int8(index)]),
        .float32("\(name).weight_scale", [1], [Float(index + 1)]),
        .float32("\(name).bias", [1], [Float(index)]),
      ]
    }
    let layer = try written(tensors).sideBySide(["q", "k", "v"], inputs: 2, outputs: 1)
    #expect(apply(layer, [255, 1]) == [255, 513, 773])
  }

  /// Exchanged axes and a factor give the layer of the same weights written that way.
  @Test func weightsCanBeRearranged() throws {
    var generator = SeededGenerator(seed: 3)
    let (a, b, c) = (3, 4, 5)
    let values = (0..<a * b * c).map { _ in Int8.random(in: -127...127, using: &generator) }
    let scales: [Float] = [0.5, 0.25, 2]
    let floats = (0..<a * b * c).map { Float(values[$0]) * scales[$0 / (b * c)] }
    let x = [255] + (1..<b * c).map { Float($0) }
    let layers = [LinearWeight.int8(values, scales: scales), .float32(FloatStorage(floats))]
      .map { weight in
        Linear(
          weight: weight.exchangingLastAxes([a, b, c]).scaled(by: 4), bias: nil, inputs: b * c)
      }
    #expect(largestDifference(apply(layers[0], x), apply(layers[1], x)) < 1e-2)
    var expected = [Float](repeating: 0, count: a)
    for i in 0..<a {
      for j in 0..<b {
        for k in 0..<c { expected[i] += 4 * floats[(i * b + j) * c + k] * x[k * b + j] }
      }
    }
    #expect(largestDifference(apply(layers[0], x), expected) < 1e-2)
  }

  @Test func scalesThatAreMissingOrMisshapen() throws {
    let weight = StoredTensor.int8("a.weight", [2, 3], [1, 2, 3, 4, 5, 6])
    let bias = StoredTensor.float32("a.bias", [2], [0, 0])
    func load(_ tensors: [StoredTensor]) throws {
      _ = try written(tensors + [bias])["a"].linear(inputs: 3, outputs: 2)
    }
    #expect(throws: WeightError.missing(file: path, tensor: "a.weight_scale", expected: [2])) {
      try load([weight])
    }
    for shape in [[], [1], [3], [2, 1], [6]] {
      let scale = StoredTensor.float32(
        "a.weight_scale", shape, Array(repeating: 1, count: shape.reduce(1, *)))
      #expect(
        throws: WeightError.wrongShape(
          file: path, tensor: "a.weight_scale", found: shape, expected: [2])
      ) { try load([weight, scale]) }
    }
    #expect(throws: WeightError.notFinite(file: path, tensor: "a.weight_scale", index: 1)) {
      try load([weight, .float32("a.weight_scale", [2], [1, .nan])])
    }
    #expect(
      throws: WeightError.wrongType(
        file: path, tensor: "a.weight_scale", found: "I8", expected: "F16 or F32")
    ) { try load([weight, .int8("a.weight_scale", [2], [1, 1])]) }
    #expect(
      throws: WeightError.wrongShape(
        file: path, tensor: "a.weight", found: [3, 2], expected: [2, 3])
    ) { try load([.int8("a.weight", [3, 2], [1, 2, 3, 4, 5, 6])]) }
    // A scale of weights that are no int8 is a tensor too many.
    let reader = try written([
      .float32("a.weight", [1, 1], [1]), .float32("a.weight_scale", [1], [1]),
    ])
    _ = try reader["a"].linear(inputs: 1, outputs: 1, bias: false)
    #expect(throws: WeightError.unused(file: path, tensors: ["a.weight_scale"])) {
      try reader.requireAllUsed()
    }
  }

  @Test func int8WhereItMayNotBe() throws {
    let reader = try written([
      .int8("n.weight", [2], [1, 2]), .float32("n.bias", [2], [1, 2]),
      .int8("a.weight", [1, 40_000], Array(repeating: 1, count: 40_000)),
      .float32("a.weight_scale", [1], [1]),
    ])
    let refused = WeightError.wrongType(
      file: path, tensor: "n.weight", found: "I8", expected: "F16 or F32")
    #expect(throws: refused) { try reader["n"].layerNorm(2) }
    let error = #expect(throws: WeightError.self) {
      try reader["a"].linear(inputs: 40_000, outputs: 1, bias: false)
    }
    for word in ["'a.weight'", "I8", "32768 inputs"] { #expect("\(error!)".contains(word)) }
  }

  /// Queries, keys and values are multiplied at once, so all of them are int8 or none is.
  @Test func mixedPrecisions() throws {
    let int8: [StoredTensor] = [
      .int8("q.weight", [1, 1], [1]), .float32("q.weight_scale", [1], [1]),
      .float32("q.bias", [1], [0]),
    ]
    let float: [StoredTensor] = [
      .float16("k.weight", [1, 1], [1]), .float32("k.bias", [1], [0]),
    ]
    let reader = try written(int8 + float)
    for (names, found, expected) in [
      (["q", "k"], "F16", "I8, as 'q' beside it"),
      (["k", "q"], "I8", "F16 or F32, as 'k' beside it"),
    ] {
      #expect(
        throws: WeightError.wrongType(
          file: path, tensor: names[1] + ".weight", found: found, expected: expected)
      ) { try reader.sideBySide(names, inputs: 1, outputs: 1) }
    }
  }

  /// Floats of 16 and 32 bits side by side become float32, and nothing is lost.
  @Test func mixedFloats() throws {
    let fine: Float = 1 + 0x1p-20
    let reader = try written([
      .float16("q.weight", [1, 1], [0.5]), .float32("q.bias", [1], [0]),
      .float32("k.weight", [1, 1], [fine]), .float32("k.bias", [1], [0]),
    ])
    for (names, expected) in [
      (["q", "k"], [0.5, fine]), (["k", "q"], [fine, 0.5]), (["q", "k", "q"], [0.5, fine, 0.5]),
    ] {
      let layer = try reader.sideBySide(names, inputs: 1, outputs: 1)
      #expect(apply(layer, [1]) == expected, "\(names)")
    }
  }
}
