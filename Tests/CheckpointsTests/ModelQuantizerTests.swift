import Checkpoints
import Conformer
import Foundation
import Tensor
import TestSupport
import Testing

/// int8 model folders: what becomes int8 and how well, and what is refused.
final class ModelQuantizerTests {
  private let folder = Places.temporaryFolder()
  private let model: TinyModel
  private var output: String { folder + "/int8" }

  init() throws {
    model = try TinyModel(
      seed: 5, edgeTaps: 2,
      decoder: DecoderConfig(
        width: 16, heads: 2, feedForwardWidth: 32, leftLayers: 2, rightLayers: 1, vocabulary: 12,
        startEnd: 11, auxiliaryHeads: [0]))
  }

  deinit {
    model.remove()
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func weights(_ directory: String) throws -> SafetensorsFile {
    try SafetensorsFile(path: directory + "/model.safetensors")
  }

  /// Every matrix that is multiplied with more than once has become int8, with a scale for each
  /// output, and nothing else has changed.
  @Test func largeMatricesBecomeInt8() throws {
    let summary = try ModelQuantizer.quantize(model.directory, to: output)
    let (before, after) = (try weights(model.directory), try weights(output))
    var matrices: Set<String> = []
    for name in before.entries.keys {
      let (old, new) = (before.stored(name)!, after.stored(name)!)
      #expect(new.shape == old.shape)
      if new.type == .int8 {
        matrices.insert(name)
        #expect(after.entries[name + "_scale"]?.shape == [old.shape[0]])
      } else {
        #expect(new.type == old.type && new.bytes == old.bytes, "\(name)")
        #expect(after.entries[name + "_scale"] == nil)
      }
    }
    let expected = before.entries.keys.filter { name in
      before.entries[name]!.shape.count > 1
        && !["pos", "embed", "depthwise", "edge", "conv.0"].contains { name.contains($0) }
    }
    #expect(matrices == Set(expected))
    #expect(after.entries.count == before.entries.count + matrices.count)
    #expect(summary.matrices == matrices.count)
    #expect(
      summary.weights
        == matrices.reduce(0) { $0 + before.entries[$1]!.shape.reduce(1, *) })
    for (directory, bytes) in [
      (model.directory, summary.bytesBefore), (output, summary.bytesAfter),
    ] {
      let file = try Data(contentsOf: URL(fileURLWithPath: directory + "/model.safetensors"))
      #expect(file.count == bytes)
    }
  }

  /// What the edge kernels of the int8 model add is what those of the original do.
  @Test func edgeKernelsStay() throws {
    _ = try ModelQuantizer.quantize(model.directory, to: output)
    #expect(try ConformerModel(directory: output).config.encoder.edgeTaps == 2)
    let (before, after) = (try weights(model.directory), try weights(output))
    for layer in 0..<3 {
      let name = "encoder.layers.\(layer).conv.edge_kernels"
      let kernels = try #require(after.stored(name))
      #expect(kernels.type == .float32 && kernels.shape == [3, 2, 16])
      #expect(kernels.bytes == before.stored(name)?.bytes)
    }
  }

  /// Each weight is the nearest of 127 steps to the largest one of its output.
  @Test func weightsAreRoundedToTheNearestStep() throws {
    _ = try ModelQuantizer.quantize(model.directory, to: output)
    let before = try TensorTable(model.directory + "/model.safetensors")
    let after = try weights(output)
    for (name, entry) in after.entries where entry.type == "I8" {
      let floats = try before[name]
      let scales = try WeightReader(after).tensor(name + "_scale", [entry.shape[0]]).values
      let values = after.stored(name)!.bytes.map { Float(Int8(bitPattern: $0)) }
      let inputs = floats.count / scales.count
      for (output, scale) in scales.enumerated() {
        let channel = output * inputs..<(output + 1) * inputs
        #expect(scale == floats[channel].reduce(0) { max($0, abs($1)) } / 127)
        let worst = channel.reduce(0) { max($0, abs(floats[$1] - scale * values[$1])) }
        #expect(worst <= 0.5001 * scale, "\(name), output \(output)")
      }
    }
  }

  @Test func aChannelOfZeros() throws {
    var tensors = TinyModel.tensors(model.config, seed: 5)
    let index = try #require(tensors.firstIndex { $0.name == "ctc.weight" })
    tensors[index].bytes = Data(count: tensors[index].bytes.count)
    try SafetensorsWriter.write(tensors, to: model.directory + "/model.safetensors")
    _ = try ModelQuantizer.quantize(model.directory, to: output)
    let scales = try WeightReader(weights(output))["ctc"].tensor("weight_scale", [12])
    #expect(scales.values.allSatisfy { $0 == 0 })
    _ = try ConformerModel(directory: output)
  }

  @Test func theRestOfTheFolderIsTheSame() throws {
    try "the card".write(
      toFile: model.directory + "/README.md", atomically: true, encoding: .utf8)
    try FileManager.default.createDirectory(atPath: output, withIntermediateDirectories: false)
    _ = try ModelQuantizer.quantize(model.directory, to: output)
    for name in ["config.json", "tokens.txt"] {
      let copies = [model.directory, output].map {
        FileManager.default.contents(atPath: $0 + "/" + name)
      }
      #expect(copies[0] == copies[1] && copies[0] != nil)
    }
    let card = try String(contentsOfFile: output + "/README.md", encoding: .utf8)
    #expect(card.contains("int8") && card.hasSuffix("the card"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: output).sorted() == [
        "README.md", "config.json", "model.safetensors", "tokens.txt",
      ])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["int8"])
  }

  // MARK: - Refusals

  private func expectRefusal(
    _ source: String, _ output: String, saying words: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: (any Error).self, sourceLocation: sourceLocation) {
      try ModelQuantizer.quantize(source, to: output)
    }
    for word in words {
      #expect("\(error!)".contains(word), "\(error!)", sourceLocation: sourceLocation)
    }
  }

  @Test func whatIsInt8Already() throws {
    _ = try ModelQuantizer.quantize(model.directory, to: output)
    expectRefusal(output, folder + "/twice", saying: output, "int8 already")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["int8"])
  }

  @Test func whatIsNoModel() throws {
    expectRefusal(folder + "/none", output, saying: "none/config.json", "no such file")
    var tensors = TinyModel.tensors(model.config, seed: 5)
    tensors[0].bytes.replaceSubrange(0..<4, with: [0, 0, 0xC0, 0x7F])
    try SafetensorsWriter.write(tensors, to: model.directory + "/model.safetensors")
    expectRefusal(model.directory, output, saying: tensors[0].name, "NaN")
    tensors.removeFirst()
    try SafetensorsWriter.write(tensors, to: model.directory + "/model.safetensors")
    expectRefusal(model.directory, output, saying: "missing")
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
  }

  @Test func placesWhereNothingCanBeWritten() throws {
    expectRefusal(model.directory, model.directory, saying: "remove it first")
    expectRefusal(model.directory, folder + "/not/there", saying: "not", "make it first")
    try FileManager.default.removeItem(atPath: model.directory + "/tokens.txt")
    expectRefusal(model.directory, output, saying: "tokens.txt")
  }
}
