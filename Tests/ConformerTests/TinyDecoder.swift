import Conformer
import Foundation
import Tensor
import TestSupport

/// A small bidirectional decoder with random weights, and the weights by name.
struct TinyDecoder {
  let config: DecoderConfig
  let decoder: BidirectionalDecoder
  let weights: [String: [Float]]

  init(
    seed: UInt64, leftLayers: Int = 3, rightLayers: Int = 2, auxiliaryHeads: [Int]? = nil,
    positionWidth: Int? = nil, leavingOut: String? = nil
  ) throws {
    config = DecoderConfig(
      width: 12, heads: 3, feedForwardWidth: 20, leftLayers: leftLayers,
      rightLayers: rightLayers, vocabulary: 17, startEnd: 16, auxiliaryHeads: auxiliaryHeads,
      positionWidth: positionWidth)
    var generator = SeededGenerator(seed: seed)
    var weights: [String: [Float]] = [:]
    var tensors: [StoredTensor] = []
    for (name, shape) in config.tensorShapes where name != leavingOut {
      let isNorm = name.contains("norm") && name.hasSuffix("weight")
      let values = (0..<shape.reduce(1, *)).map { _ in
        (isNorm ? 1 : 0) + generator.normal(shape.count == 1 ? 0.2 : 0.35)
      }
      weights[name] = values
      tensors.append(
        StoredTensor(
          name: name, type: .float32, shape: shape,
          bytes: values.withUnsafeBytes { Data($0) }))
    }
    self.weights = weights
    let folder = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try SafetensorsWriter.write(tensors, to: folder + "/decoder.safetensors")
    let reader = WeightReader(try SafetensorsFile(path: folder + "/decoder.safetensors"))
    decoder = try BidirectionalDecoder(reader["decoder"], config)
    try reader.requireAllUsed()
  }

  /// Random encoder frames. [count, d]
  func frames(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count * config.width).map { _ in generator.normal(1) }
  }

  /// Random hypotheses of the given lengths; the later ones share prefixes with the first.
  func hypotheses(_ lengths: [Int], utterance: Int = 0, seed: UInt64) -> [TokenSequence] {
    var generator = SeededGenerator(seed: seed)
    var result: [TokenSequence] = []
    for length in lengths {
      var tokens = (0..<length).map { _ in
        Int.random(in: 0..<config.startEnd, using: &generator)
      }
      if let first = result.first?.tokens {
        let shared = Int.random(in: 0...min(length, first.count), using: &generator)
        tokens.replaceSubrange(0..<shared, with: first.prefix(shared))
      }
      result.append(TokenSequence(tokens, utterance: utterance))
    }
    return result
  }
}
