import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite struct NeMoConfigTests {
  /// Section, field, value in the yaml, what the message says is found and supported.
  @Test(arguments: [
    ["top", "sample_rate", "8000", "8000", "16000"],
    ["preprocessor", "_target_", "x.AudioToMFCCPreprocessor", "'x.AudioToMFCCPreprocessor'", ""],
    ["preprocessor", "features", "64", "64", "80"],
    ["preprocessor", "window_size", "0.02", "0.02", "0.025"],
    ["preprocessor", "window_stride", "0.0125", "0.0125", "0.01"],
    ["preprocessor", "n_window_size", "320", "320", "400"],
    ["preprocessor", "window", "hamming", "'hamming'", "'hann'"],
    ["preprocessor", "n_fft", "1024", "1024", "512"],
    ["preprocessor", "frame_splicing", "3", "3", "1"],
    ["preprocessor", "log", "false", "false", "true"],
    ["preprocessor", "log_zero_guard_value", "1.0e-5", "1e-05", ""],
    ["preprocessor", "normalize", "all_features", "'all_features'", "'per_feature', 'NA' or null"],
    ["encoder", "_target_", "x.SqueezeformerEncoder", "'x.SqueezeformerEncoder'", ""],
    ["encoder", "feat_in", "64", "64", "80"],
    ["encoder", "feat_out", "8", "8", "4"],
    ["encoder", "subsampling", "dw_striding", "'dw_striding'", "'striding'"],
    ["encoder", "subsampling_factor", "8", "8", "4"],
    ["encoder", "subsampling_conv_channels", "0", "0", "1 to 16384"],
    ["encoder", "causal_downsampling", "true", "true", "false"],
    ["encoder", "reduction", "striding", "'striding'", "null"],
    ["encoder", "self_attention_model", "abs_pos", "'abs_pos'", "'rel_pos'"],
    ["encoder", "att_context_size", "[70, 13]", "[70, 13]", "full context, [-1, -1]"],
    ["encoder", "att_context_size", "[[70, 13], [70, 0]]", "[[70, 13], [70, 0]]", ""],
    ["encoder", "att_context_style", "chunked_limited", "'chunked_limited'", "'regular'"],
    ["encoder", "untie_biases", "false", "false", "true"],
    ["encoder", "use_bias", "false", "false", "true"],
    ["encoder", "conv_norm_type", "layer_norm", "'layer_norm'", "'batch_norm'"],
    ["encoder", "conv_kernel_size", "4", "4", "odd sizes"],
    ["encoder", "conv_context_size", "causal", "'causal'", "[1, 1] or null"],
    ["encoder", "n_layers", "100000", "100000", "1 to 512"],
    ["encoder", "d_model", "9223372036854775807", "9223372036854775807", "2 to 16384"],
    ["encoder", "n_heads", "3", "", ""],
    ["encoder", "n_heads", "0", "0", "1 to 4"],
    ["encoder", "ff_expansion_factor", "-4", "-4", "1 to 64"],
    ["decoder", "_target_", "nemo.collections.asr.modules.RNNTDecoder", "", ""],
    ["decoder", "feat_in", "8", "8", "4"],
  ])
  func namesTheUnsupportedField(row: [String]) throws {
    var model = SyntheticModel()
    switch row[0] {
    case "top": model.top[row[1]] = row[2]
    case "preprocessor": model.preprocessor[row[1]] = row[2]
    case "encoder": model.encoder[row[1]] = row[2]
    default: model.decoder[row[1]] = row[2]
    }
    let message = try #require(importMessage(model.archive))
    let field = row[1] == "n_heads" && row[2] == "3" ? "d_model" : row[1]
    let name = row[0] == "top" ? field : "\(row[0]).\(field)"
    #expect(message.hasPrefix("model_config.yaml: \(name) is \(row[3])"))
    #expect(message.contains(", but Starling runs only \(row[4])"))
  }

  @Test(arguments: [
    ("- a\n- b\n", "the yaml is not a mapping of fields"),
    ("", "the yaml is not a mapping of fields"),
    ("just text", "the yaml is not a mapping of fields"),
    ("encoder: {a: [}", "the yaml is damaged: "),
    ("sample_rate: 16000\n", "the yaml has no field 'preprocessor'"),
    ("preprocessor: 3\n", "the field 'preprocessor' is not "),
    ("preprocessor: {}\nencoder: {d_model: 4}\n", "the yaml has no field 'encoder.n_layers'"),
    (
      "preprocessor: {}\nencoder: {n_layers: many, d_model: 4}\n",
      "the field 'encoder.n_layers' is not a whole number"
    ),
    ("a: " + String(repeating: "[", count: 100_000), "the yaml is damaged: "),
  ])
  func explainsABrokenYaml(yaml: String, expected: String) throws {
    var model = SyntheticModel()
    model.yamlText = yaml
    let message = try #require(importMessage(model.archive))
    #expect(message.hasPrefix("model_config.yaml: " + expected))
    #expect(!message.contains("\n"))
  }

  @Test func survivesDeepAndSharedYaml() {
    var model = SyntheticModel()
    let depth = 900
    let deep = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    var bomb = "l0: &l0 [x, x]\n"
    for level in 1..<40 { bomb += "l\(level): &l\(level) [*l\(level - 1), *l\(level - 1)]\n" }
    model.yamlText = model.yaml + "deep: \(deep)\n" + bomb
    #expect(importMessage(model.archive) == nil)
  }

  @Test func refusesAYamlThatIsNotText() {
    var members = SyntheticModel().members
    members[0].data = Data([0xFF, 0xFE, 0x80])
    #expect(
      importMessage(TarWriter.archive(members))
        == "model_config.yaml: the yaml is not UTF-8 text")
  }
}

@Suite struct NeMoVocabularyTests {
  private func tokens(_ model: SyntheticModel) throws -> String {
    try imported(model.archive).tokens
  }

  @Test func refusesAWrongLength() {
    var model = SyntheticModel()
    model.decoder["num_classes"] = "4"
    #expect(
      importMessage(model.archive)
        == "model_config.yaml: decoder.vocabulary lists 3 pieces, expected 4 from "
        + "decoder.num_classes")
    model.decoder["num_classes"] = "2"
    #expect(importMessage(model.archive)?.contains("lists 3 pieces, expected 2") == true)
    model.decoder["num_classes"] = "-1"
    model.decoder["vocabulary"] = "[a, b]"
    #expect(
      importMessage(model.archive)?.contains(
        "'decoder.decoder_layers.0.weight' has shape [4, 4, 1], expected [3, 4, 1]") == true)
  }

  @Test func readsTheFilesOfTheArchive() throws {
    var model = SyntheticModel()
    model.decoder["vocabulary"] = "null"
    #expect(
      importMessage(model.archive)
        == "its pieces are listed neither in decoder.vocabulary of model_config.yaml nor in a "
        + "tokenizer.vocab or vocab.txt")
    // NeMo's own file leaves out <unk> and marks continuations.
    model.extraMembers = [("0123_vocab.txt", Data("a\n##b\n".utf8))]
    #expect(try tokens(model) == "<unk>\n▁a\nb\n")
    // SentencePiece's has scores and goes first.
    model.extraMembers.append(
      ("0123_tokenizer.vocab", Data("<unk>\t0\n▁c\t-1.5\nd\t-2\n".utf8)))
    #expect(try tokens(model) == "<unk>\n▁c\nd\n")
  }

  @Test(arguments: [
    ("['<unk>', a, '##b']", "<unk>\n▁a\nb\n"), ("['<unk>', '▁', '##b']", "<unk>\n▁\nb\n"),
    ("[' ', a, b]", "▁\na\nb\n"), ("['##', a, b]", "##\na\nb\n"),
    ("[no, 1, null]", "no\n1\nnull\n"),
  ])
  func writesWordStarts(yaml: String, expected: String) throws {
    var model = SyntheticModel()
    model.decoder["vocabulary"] = yaml
    #expect(try tokens(model) == expected)
  }

  @Test func refusesPiecesThatBreakTheFile() {
    var model = SyntheticModel()
    for piece in [#""a\nb""#, #""a\tb""#, "''"] {
      model.decoder["vocabulary"] = "[x, y, \(piece)]"
      #expect(importMessage(model.archive)?.contains("piece 2 of decoder.vocabulary") == true)
    }
  }

  @Test func refusesSeveralTokenizers() {
    var model = SyntheticModel()
    model.top["tokenizer"] = "{type: agg}"
    #expect(
      importMessage(model.archive)
        == "model_config.yaml: tokenizer.type is 'agg', but Starling runs only a single tokenizer")
  }
}
