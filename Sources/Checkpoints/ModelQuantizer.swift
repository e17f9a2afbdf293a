import Conformer
import Foundation
import Tensor

/// Makes an int8 model folder of a model folder: one byte per weight of the large matrices, with a
/// scale for each of their outputs. Everything else stays as it is stored.
public enum ModelQuantizer {
  /// What a quantisation did.
  public struct Summary: Equatable, Sendable {
    /// Matrices that are int8 now, and their weights.
    public var matrices = 0
    public var weights = 0
    /// Sizes of the two `model.safetensors`.
    public var bytesBefore = 0
    public var bytesAfter = 0
  }

  private static let weightsName = "model.safetensors"

  /// Reads the model folder `directory` and writes its int8 form, which appears at `output`
  /// complete or not at all.
  ///
  /// - Parameter output: a new or empty folder; its parent must be there.
  /// - Throws: `ModelError` or `WeightError` if `directory` is no model, `CheckpointError` if it is
  ///   int8 already or `output` cannot be written.
  public static func quantize(_ directory: String, to output: String) throws -> Summary {
    let folder = try ModelFolderWriter(output)
    // Every tensor is there, of the right shape and finite, or this says which is not.
    _ = try ConformerModel(directory: directory)
    let file = try SafetensorsFile(path: directory + "/" + weightsName)
    guard !file.entries.values.contains(where: { $0.type == StoredType.int8.rawValue }) else {
      throw CheckpointError.alreadyInt8(file: file.path)
    }
    var summary = Summary()
    var tensors: [StoredTensor] = []
    for (name, entry) in file.entries {
      if isLargeMatrix(name) {
        let weight = try WeightReader(file).tensor(name, entry.shape)
        tensors += quantized(weight, name, entry.shape)
        summary.matrices += 1
        summary.weights += weight.count
      } else {
        tensors.append(file.stored(name)!)
      }
    }
    var files: [(name: String, data: Data)] = []
    for name in ["config.json", "tokens.txt"] {
      files.append((name, try data(directory + "/" + name)))
    }
    files.append(("README.md", card(of: directory)))
    try folder.write(files, tensors: tensors)
    summary.bytesBefore = try data(file.path).count
    summary.bytesAfter = try data(output + "/" + weightsName).count
    return summary
  }

  /// Whether `name` is the weight of a matrix that every block or every hypothesis is multiplied
  /// with. The projections of relative positions are not: they are computed once per model.
  private static func isLargeMatrix(_ name: String) -> Bool {
    let path = name.split(separator: ".")
    guard path.count >= 2, path.last == "weight" else { return false }
    if ["ctc.weight", "encoder.pre_encode.conv.2.weight"].contains(name) { return true }
    if path.dropLast(2).last == "auxiliary" { return true }
    return [
      "linear1", "linear2", "linear_q", "linear_k", "linear_v", "linear_out", "pointwise_conv1",
      "pointwise_conv2", "out", "w_1", "w_2", "output_layer",
    ].contains(path[path.count - 2])
  }

  /// `name` as int8 and `name` + `_scale`. The largest weight of each output is 127 steps; clipping
  /// it for a smaller squared error heard no better (Benchmarks/README.md).
  private static func quantized(
    _ weight: FloatStorage, _ name: String, _ shape: [Int]
  ) -> [StoredTensor] {
    let (outputs, inputs) = (shape[0], weight.count / shape[0])
    var values: [Int8] = []
    var scales: [Float] = []
    values.reserveCapacity(weight.count)
    for output in 0..<outputs {
      let channel = UnsafeBufferPointer(
        start: weight.pointer + output * inputs, count: inputs)
      let scale = channel.reduce(0) { max($0, abs($1)) } / 127
      scales.append(scale)
      // Clamped because a scale among the smallest floats is itself rounded.
      values += channel.map {
        scale > 0 ? Int8(min(max(($0 / scale).rounded(), -127), 127)) : 0
      }
    }
    return [
      StoredTensor(
        name: name, type: .int8, shape: shape, bytes: values.withUnsafeBytes { Data($0) }),
      StoredTensor(
        name: name + "_scale", type: .float32, shape: [outputs],
        bytes: scales.withUnsafeBytes { Data($0) }),
    ]
  }

  private static func data(_ path: String) throws(CheckpointError) -> Data {
    do {
      return try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      throw .unreadable(file: path, reason: "\(error.localizedDescription)")
    }
  }

  /// The model's own card, with a word on what became of it.
  private static func card(of directory: String) -> Data {
    let own = FileManager.default.contents(atPath: directory + "/README.md") ?? Data()
    let name = URL(fileURLWithPath: directory).standardizedFileURL.lastPathComponent
    let note = """
      > Made of `\(name)` by `starling model quantize`: the large matrices are int8, with a scale for \
      each output. Its card follows; the figures in it are those of the original.


      """
    return Data(note.utf8) + own
  }
}
