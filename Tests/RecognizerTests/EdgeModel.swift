import Conformer
import Foundation
import Recognizer
import Tensor
import TestSupport

/// The shipped model with random edge kernels, so small that it still hears words.
enum EdgeModel {
  static let shared: RecognizerModel = {
    let folder = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var config = try! ModelConfig.load(Places.shippedModel + "/config.json")
    let (taps, side) = (6, config.encoder.convolutionKernel / 2)
    config.encoder.edgeTaps = taps
    try! JSONEncoder().encode(config).write(to: URL(fileURLWithPath: folder + "/config.json"))
    try! FileManager.default.copyItem(
      atPath: Places.shippedModel + "/tokens.txt", toPath: folder + "/tokens.txt")
    let file = try! SafetensorsFile(path: Places.shippedModel + "/model.safetensors")
    var tensors = file.entries.keys.map { file.stored($0)! }
    var generator = SeededGenerator(seed: 12)
    let shape = [side, taps, config.encoder.width]
    for layer in 0..<config.encoder.layers {
      let values = (0..<shape.reduce(1, *)).map { _ in Float16(generator.normal(0.02)) }
      tensors.append(.float16("encoder.layers.\(layer).conv.edge_kernels", shape, values))
    }
    try! SafetensorsWriter.write(tensors, to: folder + "/model.safetensors")
    return try! RecognizerModel(directory: folder)
  }()
}
