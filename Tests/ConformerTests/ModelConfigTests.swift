import Conformer
import Foundation
import Tensor
import TestSupport
import Testing

/// `config.json`: every field is checked, and an error names the file and the field.
final class ModelConfigTests {
  private let folder = Places.temporaryFolder()
  private var path: String { folder + "/config.json" }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private static let valid = ModelConfig(
    model: "test",
    features: FeatureConfig(mels: 80, normalize: .globalCMVN),
    encoder: EncoderConfig(
      layers: 2, width: 24, heads: 4, feedForwardWidth: 48, convolutionKernel: 31,
      subsamplingChannels: 24, scalesInput: true),
    ctc: CTCConfig(vocabulary: 10, blank: 9),
    decoder: DecoderConfig(
      width: 24, heads: 3, feedForwardWidth: 48, leftLayers: 1, rightLayers: 0, vocabulary: 10,
      startEnd: 9),
    streaming: StreamingConfig())

  /// `valid` as JSON, with the value at `field` ("encoder.n_heads") replaced, or taken away.
  private func write(_ field: String, _ value: Any?) throws {
    func changed(_ object: [String: Any], _ names: ArraySlice<Substring>) -> [String: Any] {
      var object = object
      let name = String(names.first!)
      object[name] =
        names.count == 1
        ? value : changed(object[name] as! [String: Any], names.dropFirst())
      return object
    }
    let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(Self.valid))
    try JSONSerialization.data(
      withJSONObject: changed(json as! [String: Any], field.split(separator: ".")[...])
    ).write(to: URL(fileURLWithPath: path))
  }

  private func load() throws(ModelError) -> ModelConfig { try ModelConfig.load(path) }

  @Test func validConfigs() throws {
    try JSONEncoder().encode(Self.valid).write(to: URL(fileURLWithPath: path))
    #expect(try load() == Self.valid)
    try write("decoder", nil)
    #expect(try load().decoder == nil)
    try write("encoder.edge_taps", 6)
    #expect(try load().encoder.edgeTaps == 6 && Self.valid.encoder.edgeTaps == nil)
    // Fields that later versions add do not disturb.
    try write("encoder.later", 5)
    #expect(try load() == Self.valid)
    let shipped = try ModelConfig.load(Places.shippedModel + "/config.json")
    #expect(shipped.encoder.width == 176 && shipped.streaming.lookAheadFrames == 8)
  }

  /// The ends of every range are good, what lies beyond is not.
  static let ranges: [(field: String, good: [Int], bad: [Int])] = [
    ("features.sample_rate", [16_000], [8000, 16_001, 0, -16_000]),
    ("features.n_mels", [8, 256], [7, 257, 0, -1]),
    ("encoder.n_layers", [1, 256], [0, 257, -1]),
    ("encoder.n_heads", [1, 24], [0, 5, 48, -4]),
    ("encoder.d_feed_forward", [1, 65_536], [0, 65_537]),
    ("encoder.conv_kernel_size", [1, 255], [0, 2, 30, 256, 257, -1, -31]),
    ("encoder.edge_taps", [0, 1, 16], [17, 64, 65, -1]),
    ("encoder.subsampling_channels", [1, 8192], [0, 8193, -24]),
    ("encoder.subsampling_factor", [4], [0, 2, 8, -4]),
    ("ctc.blank", [0, 9], [-1, 10]),
    ("streaming.block_frames", [1, 10_000], [0, 10_001, -8]),
    ("streaming.look_ahead_frames", [0, 10_000], [10_001, -1]),
    ("streaming.left_frames", [0, 100_000], [100_001, -1]),
    ("decoder.d_model", [24], [0, 48, -24]),
    ("decoder.n_heads", [1, 24], [0, 5, -3]),
    ("decoder.left_layers", [1, 256], [0, 257, -1]),
    ("decoder.right_layers", [0, 256], [257, -1]),
    ("decoder.d_feed_forward", [1, 65_536], [0, 65_537]),
    ("decoder.vocabulary", [10], [0, 9, 11]),
    ("decoder.sos_eos", [0, 9], [10, -1]),
  ]

  @Test(arguments: ranges)
  func range(field: String, good: [Int], bad: [Int]) throws {
    for value in good {
      try write(field, value)
      #expect(throws: Never.self, "\(field) \(value)") { try self.load() }
    }
    for value in bad {
      try write(field, value)
      try expectField(field, "\(value)")
    }
  }

  /// Fields that others depend on.
  @Test func dependentFields() throws {
    for (field, value, named) in [
      ("encoder.d_model", 1, "encoder.d_model"), ("encoder.d_model", 8193, "encoder.d_model"),
      ("encoder.d_model", 0, "encoder.d_model"), ("encoder.d_model", 26, "encoder.n_heads"),
      ("encoder.d_model", 48, "decoder.d_model"), ("ctc.vocabulary", 1, "ctc.vocabulary"),
      ("ctc.vocabulary", 1_000_001, "ctc.vocabulary"), ("ctc.vocabulary", 9, "ctc.blank"),
      ("ctc.vocabulary", 11, "decoder.vocabulary"),
    ] {
      try write(field, value)
      try expectField(named, nil)
    }
  }

  /// Edge kernels reach back over no more than the rows that a stream keeps, and 64 frames.
  @Test func edgeTaps() throws {
    for (kernel, most) in [(1, 1), (3, 2), (7, 4), (125, 63), (127, 64), (255, 64)] {
      for taps in [most, most + 1] {
        var config = Self.valid
        (config.encoder.convolutionKernel, config.encoder.edgeTaps) = (kernel, taps)
        try JSONEncoder().encode(config).write(to: URL(fileURLWithPath: path))
        if taps == most {
          #expect(try load() == config)
        } else {
          let error = #expect(throws: ModelError.self) { try self.load() }
          #expect(
            "\(error!)" == "\(path): 'encoder.edge_taps' is \(taps), expected 0 to \(most) "
              + "(conv_kernel_size is \(kernel))")
        }
      }
    }
    for value in [1.5, "6", [6]] as [Any] {
      try write("encoder.edge_taps", value)
      try expectNotJSON("'encoder.edge_taps'")
    }
  }

  @Test func format() throws {
    for format in ["starling-2", "", "Starling-1"] {
      try write("format", format)
      try expectField("format", "'\(format)'")
    }
  }

  /// - Parameter found: what the error says was found.
  private func expectField(_ field: String, _ found: String?) throws {
    let error = #expect(throws: ModelError.self, "\(field) \(found ?? "")") { try self.load() }
    guard let error, case .field(file: path, name: field, _, let value) = error else {
      Issue.record("\(error as Any) is not about \(field)")
      return
    }
    if let found { #expect(value == found) }
    #expect("\(error)".contains(path) && "\(error)".contains("'\(field)'"))
  }

  // MARK: - Not a config at all

  static let fields = [
    "format", "model", "features", "features.type", "features.sample_rate", "features.n_mels",
    "features.normalize", "encoder", "encoder.n_layers", "encoder.d_model", "encoder.n_heads",
    "encoder.d_feed_forward", "encoder.conv_kernel_size", "encoder.subsampling_channels",
    "encoder.subsampling_factor", "encoder.xscaling", "ctc", "ctc.vocabulary", "ctc.blank",
    "decoder.d_model", "decoder.n_heads", "decoder.d_feed_forward", "decoder.left_layers",
    "decoder.right_layers", "decoder.vocabulary", "decoder.sos_eos", "streaming",
    "streaming.block_frames", "streaming.look_ahead_frames", "streaming.left_frames",
  ]

  @Test(arguments: fields)
  func missingOrMistyped(field: String) throws {
    try write(field, nil)
    try expectNotJSON("'\(field)'", "missing")
    try write(field, ["neither", "nor"])
    try expectNotJSON("'\(field)'", "not of type")
    try write(field, NSNull())
    try expectNotJSON("'\(field)'")
  }

  @Test func unknownValues() throws {
    for (field, value) in [
      ("features.type", "mfcc"), ("features.normalize", "per_utterance"),
      ("encoder.d_model", 1.5), ("encoder.d_model", 1e30), ("encoder.d_model", -1e30),
    ] as [(String, Any)] {
      try write(field, value)
      try expectNotJSON("'\(field)'")
    }
  }

  @Test func badJSON() throws {
    for text in ["", "{", "nonsense", "{\"format\":}", "[1", "\u{0}"] {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      try expectNotJSON("not valid JSON")
    }
    for text in ["[]", "5", "\"config\"", "null"] {
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      try expectNotJSON("not a JSON object")
    }
    try Data([0x7B, 0xFF, 0xFE, 0x7D]).write(to: URL(fileURLWithPath: path))
    try expectNotJSON("not valid JSON")
  }

  private func expectNotJSON(_ words: String...) throws {
    let error = #expect(throws: ModelError.self, "\(words)") { try self.load() }
    guard let error, case .notJSON(file: path, _) = error else {
      Issue.record("\(error as Any) is not about the JSON: \(words)")
      return
    }
    for word in words + [path] { #expect("\(error)".contains(word), "\(error)") }
  }

  @Test func unreadable() throws {
    for place in [folder + "/none.json", folder] {
      let error = #expect(throws: ModelError.self) { try ModelConfig.load(place) }
      guard let error, case .unreadable(file: place, let reason) = error else {
        Issue.record("\(error as Any)")
        continue
      }
      #expect("\(error)".contains(place) && !reason.isEmpty)
      if place != folder { #expect(reason == "no such file") }
    }
  }
}

/// A model folder as a whole.
struct ModelFolderTests {
  /// Loads a tiny model folder after `change`.
  private func load(
    edgeTaps: Int? = nil, _ change: (TinyModel) throws -> Void
  ) throws -> any Error {
    let tiny = try TinyModel(seed: 1, edgeTaps: edgeTaps)
    defer { tiny.remove() }
    try change(tiny)
    do {
      _ = try ConformerModel(directory: tiny.directory)
    } catch {
      return error
    }
    return NoError()
  }

  private struct NoError: Error {}

  @Test func wholeFoldersLoad() throws {
    let tiny = try TinyModel(seed: 1)
    defer { tiny.remove() }
    let model = try ConformerModel(directory: tiny.directory)
    #expect(model.config == tiny.config && model.cmvn == nil)
  }

  @Test func eachTensorIsNeeded() throws {
    let tiny = try TinyModel(seed: 1, edgeTaps: 2)
    defer { tiny.remove() }
    let tensors = TinyModel.tensors(tiny.config, seed: 1)
    let file = tiny.directory + "/model.safetensors"
    for index in tensors.indices {
      var fewer = tensors
      let gone = fewer.remove(at: index)
      try SafetensorsWriter.write(fewer, to: file)
      #expect(
        throws: WeightError.missing(file: file, tensor: gone.name, expected: gone.shape)
      ) { try ConformerModel(directory: tiny.directory) }
      fewer.append(
        .float32(gone.name, gone.shape + [1], Array(repeating: 1, count: gone.bytes.count / 4)))
      try SafetensorsWriter.write(fewer, to: file)
      #expect(
        throws: WeightError.wrongShape(
          file: file, tensor: gone.name, found: gone.shape + [1], expected: gone.shape)
      ) { try ConformerModel(directory: tiny.directory) }
    }
    try SafetensorsWriter.write(tensors + [.float32("encoder.more", [1], [1])], to: file)
    #expect(throws: WeightError.unused(file: file, tensors: ["encoder.more"])) {
      try ConformerModel(directory: tiny.directory)
    }
  }

  /// What is wrong with edge kernels is said by name.
  @Test func badEdgeKernels() throws {
    let name = "encoder.layers.1.conv.edge_kernels"
    let shape = [3, 2, 16]
    func load(_ kernels: StoredTensor?) throws -> any Error {
      try self.load(edgeTaps: 2) { tiny in
        let tensors = TinyModel.tensors(tiny.config, seed: 1).filter { $0.name != name }
        try SafetensorsWriter.write(
          tensors + (kernels.map { [$0] } ?? []), to: tiny.directory + "/model.safetensors")
      }
    }
    var values = [Float](repeating: 0.5, count: 96)
    let halves = StoredTensor.float16(name, shape, values.map { Float16($0) })
    #expect(try load(halves) is NoError)
    #expect("\(try load(nil))".contains("'\(name)' of shape \(shape) is missing"))
    #expect(
      "\(try load(.float32(name, [2, 3, 16], values)))"
        .contains("'\(name)' has shape [2, 3, 16], expected \(shape)"))
    #expect(
      "\(try load(.int8(name, shape, Array(repeating: 1, count: 96))))"
        .contains("'\(name)' is stored as I8, expected F16 or F32"))
    values[5] = .infinity
    #expect(
      "\(try load(.float32(name, shape, values)))"
        .contains("'\(name)' has a NaN or an infinity at element 5"))
    // Kernels that the config does not call for.
    let unused = try self.load(edgeTaps: 0) {
      try SafetensorsWriter.write(
        TinyModel.tensors($0.config, seed: 1) + [halves],
        to: $0.directory + "/model.safetensors")
    }
    #expect("\(unused)".contains("1 tensor that config.json does not call for: '\(name)'"))
  }

  /// A kernel of one tap lacks no frames: its edge kernels are empty.
  @Test func emptyEdgeKernels() throws {
    let tiny = try TinyModel(seed: 1, kernel: 1, edgeTaps: 1)
    defer { tiny.remove() }
    #expect(try ConformerModel(directory: tiny.directory).config.encoder.edgeTaps == 1)
  }

  @Test func statisticsOfTheFeatures() throws {
    let tiny = try TinyModel(seed: 1)
    defer { tiny.remove() }
    var config = tiny.config
    config.features.normalize = .globalCMVN
    try JSONEncoder().encode(config).write(
      to: URL(fileURLWithPath: tiny.directory + "/config.json"))
    let file = tiny.directory + "/model.safetensors"
    #expect(throws: WeightError.missing(file: file, tensor: "cmvn.mean", expected: [16])) {
      try ConformerModel(directory: tiny.directory)
    }
    let (mean, istd) = ((0..<16).map(Float.init), (0..<16).map { 1 + Float($0) })
    try SafetensorsWriter.write(
      TinyModel.tensors(config, seed: 1)
        + [.float32("cmvn.mean", [16], mean), .float32("cmvn.istd", [16], istd)], to: file)
    let cmvn = try #require(try ConformerModel(directory: tiny.directory).cmvn)
    #expect(cmvn.mean == mean && cmvn.inverseDeviation == istd)
  }

  @Test func missingFiles() throws {
    let manager = FileManager.default
    let withoutConfig = try load { try manager.removeItem(atPath: $0.directory + "/config.json") }
    #expect(withoutConfig is ModelError)
    let withoutWeights = try load {
      try manager.removeItem(atPath: $0.directory + "/model.safetensors")
    }
    #expect(withoutWeights is WeightError)
  }
}
