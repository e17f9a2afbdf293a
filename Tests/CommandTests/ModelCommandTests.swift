import Foundation
import TestSupport
import Testing

@Suite struct ModelCommandTests {
  let folder = TemporaryFolder()

  @Test func infoOnTheShippedModel() throws {
    for arguments in [["model", "info"], ["model", "info", Places.shippedModel]] {
      let result = try Starling.run(arguments)
      expectSuccess(result)
      for part in [
        "starling-en-small", "16 Conformer layers", "1025 classes", "6 edge taps", "16.0 M",
      ] {
        #expect(result.output.contains(part))
      }
    }
  }

  /// Shipped models go by their names from anywhere; a folder of that name comes first.
  @Test func modelsByName() throws {
    let named = ["--model", "starling-en-small-int8"]
    let result = try Starling.run(["transcribe", Sample.dreamland] + named, model: nil)
    expectSuccess(result)
    #expect(try result.output == Sample.text(Sample.dreamland) + "\n")
    try FileManager.default.createDirectory(
      atPath: folder.path + "/starling-en-small", withIntermediateDirectories: true)
    let shadowed = try Starling.run(
      ["model", "info", "starling-en-small"], directory: folder.path, model: nil)
    expectRefusal(shadowed, saying: "starling-en-small/config.json", "no such file")
    let unknown = try Starling.run(["model", "info", "starling-fr"], model: nil)
    expectRefusal(unknown, saying: "starling-fr/config.json", "no such file")
  }

  /// What bench says adds up; the figures are the machine's.
  @Test func benchWritesJSON() throws {
    let result = try Starling.run([
      "bench", Sample.dreamland, "--repeats", "1", "--format", "json", "--latency", "4/0",
    ])
    expectSuccess(result)
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    let latency = try #require((report["latencies"] as? [String: [String: Double]])?["4/0"])
    #expect(try #require(latency["real_time_factor"]) > 0)
    let stages = try #require((report["stages"] as? [String: [String: Double]])?["4/0"])
    for stage in ["features", "subsampling", "feed-forward", "attention", "convolution", "ctc"] {
      #expect(try #require(stages[stage]) > 0, "\(stage)")
    }
    #expect(stages.values.allSatisfy { $0 >= 0 })
    let products = try #require(report["encoder_products"] as? [[String: Double]])
    #expect(products.allSatisfy { $0["gflops"]! > 0 } && products.count == 3)
  }

  /// One latency under two names is one in the report.
  @Test func benchWithALatencyTwice() throws {
    let latencies = ["640ms", "8/8", "4/0", "4/0"].flatMap { ["--latency", $0] }
    let result = try Starling.run(
      ["bench", Sample.dreamland, "--repeats", "1", "--format", "json"] + latencies)
    expectSuccess(result)
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    let measured = try #require(report["latencies"] as? [String: Any])
    #expect(measured.keys.sorted() == ["4/0", "640ms"])
  }

  @Test func quantizeAndTranscribe() throws {
    let model = folder.path + "/int8"
    let quantized = try Starling.run(["model", "quantize", "--output", model])
    expectSuccess(quantized)
    for part in ["14.6 M I8 in 205 tensors", "205 matrices", "30.5 MiB of weights became 16.8 MiB"]
    {
      #expect(quantized.output.contains(part), "\(quantized.output)")
    }
    // The shipped int8 model is this one.
    let weights = "/model.safetensors"
    #expect(
      FileManager.default.contentsEqual(
        atPath: model + weights, andPath: Places.shippedInt8Model + weights))
    let info = try Starling.run(["model", "info", model])
    expectSuccess(info)
    #expect(quantized.output.hasPrefix(info.output))
    let result = try Starling.run(["transcribe", Sample.dreamland, "--model", model])
    expectSuccess(result)
    #expect(try result.output == Sample.text(Sample.dreamland) + "\n")
    // A folder that is there is not touched, and no model is made int8 twice.
    let again = try Starling.run(["model", "quantize", "--output", model])
    expectRefusal(again, saying: model, "remove it first")
    let twice = try Starling.run(
      ["model", "quantize", "--model", model, "--output", folder.path + "/twice"])
    expectRefusal(twice, saying: model, "int8 already")
    let missing = try Starling.run(
      ["model", "quantize", "--model", folder.path + "/none", "--output", folder.path + "/x"])
    expectRefusal(missing, saying: "none/config.json", "no such file")
    expectUsageError(try Starling.run(["model", "quantize"]), saying: "--output")
  }

  private static let checkpoint =
    Places.shared + "/weights/conformer-ctc-small-en/conformer-ctc-small-en.nemo"

  @Test(
    .enabled(
      if: FileManager.default.fileExists(atPath: checkpoint), "../shared/weights is not here"))
  func importAndTranscribe() throws {
    let model = folder.path + "/imported"
    let imported = try Starling.run(["model", "import", Self.checkpoint, "--output", model])
    expectSuccess(imported)
    #expect(imported.output.contains("conformer-ctc-small-en"))
    #expect(
      folder.content == [
        "imported", "imported/README.md", "imported/config.json", "imported/model.safetensors",
        "imported/tokens.txt",
      ])
    let result = try Starling.run(["transcribe", Sample.dreamland, "--model", model])
    expectSuccess(result)
    #expect(try result.output == Sample.text(Sample.dreamland) + "\n")
    // A folder that is there is not touched.
    let again = try Starling.run(["model", "import", Self.checkpoint, "--output", model])
    expectRefusal(again, saying: model, "remove it first")
  }

  /// The description of a model so small that only its pickle can be the matter.
  private static let yaml = """
    sample_rate: 16000
    preprocessor:
      _target_: nemo.collections.asr.modules.AudioToMelSpectrogramPreprocessor
      features: 80
      window_size: 0.025
      window_stride: 0.01
      normalize: per_feature
      n_fft: 512
    encoder:
      _target_: nemo.collections.asr.modules.ConformerEncoder
      n_layers: 1
      d_model: 4
      n_heads: 2
      feat_in: 80
      feat_out: -1
      subsampling: striding
      subsampling_factor: 4
      subsampling_conv_channels: -1
      ff_expansion_factor: 4
      conv_kernel_size: 3
    decoder:
      _target_: nemo.collections.asr.modules.ConvASRDecoder
      feat_in: 4
      num_classes: 3
      vocabulary: ['<unk>', '▁a', 'b']

    """

  private func archive(pickle: Data) -> Data {
    let checkpoint = ZipWriter.archive([
      ("archive/data.pkl", pickle), ("archive/byteorder", Data("little".utf8)),
    ])
    return TarWriter.archive([
      ("./model_config.yaml", Data(Self.yaml.utf8)), ("./model_weights.ckpt", checkpoint),
    ])
  }

  @Test func aPickleThatCallsIsRefused() throws {
    let mark = folder.path + "/executed"
    let command = "touch " + mark
    // {"encoder.weight": posix.system("touch …")}, as pickle writes it for `__reduce__`.
    let name = Data("X".utf8) + ZipWriter.little(14, 4) + Data("encoder.weight".utf8)
    let call =
      Data("cposix\nsystem\nX".utf8) + ZipWriter.little(command.utf8.count, 4)
      + Data(command.utf8) + Data([0x85]) + Data("R".utf8)
    let pickle = Data([0x80, 2]) + Data("}".utf8) + name + call + Data("s.".utf8)
    let nemo = try folder.write("evil.nemo", archive(pickle: pickle))
    let result = try Starling.run(
      ["model", "import", nemo, "--output", folder.path + "/imported"])
    expectRefusal(result, saying: nemo, "posix.system", "refused")
    #expect(folder.content == ["evil.nemo"])
  }

  @Test func aNemoThatIsNoTar() throws {
    for (name, bytes) in [
      ("text.nemo", Array("not an archive, only text\n".utf8)), ("empty.nemo", []),
      ("zip.nemo", Array(ZipWriter.archive([("a", Data("b".utf8))]))),
    ] {
      let nemo = try folder.write(name, bytes)
      let before = folder.content
      let result = try Starling.run(
        ["model", "import", nemo, "--output", folder.path + "/imported"])
      expectRefusal(result, saying: nemo)
      #expect(folder.content == before)
    }
    let missing = folder.path + "/missing.nemo"
    let result = try Starling.run(
      ["model", "import", missing, "--output", folder.path + "/imported"])
    expectRefusal(result, saying: missing, "no such file")
  }

  @Test func anImportThatCannotBeWritten() throws {
    let nemo = try folder.write("a.nemo", archive(pickle: Data([0x80, 2]) + Data("}.".utf8)))
    for output in [nemo + "/model", nemo, folder.path + "/not/there/yet"] {
      let result = try Starling.run(["model", "import", nemo, "--output", output])
      expectRefusal(result, saying: output)
      #expect(folder.content == ["a.nemo"])
    }
  }
}
