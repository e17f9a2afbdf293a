import Conformer
import Foundation
import TestSupport
import Testing

/// Final passes, hot words and language models as a user asks for them.
@Suite struct DecodingOptionTests {
  private func transcribe(_ arguments: String...) throws -> Starling.Result {
    try Starling.run(["transcribe"] + arguments)
  }

  /// An ARPA model of word pairs, all of them from `text`.
  private func arpa(_ text: String) -> String {
    let words = ["<s>"] + text.split(separator: " ").map(String.init) + ["</s>"]
    let vocabulary = Set(words).sorted()
    let pairs = Set(zip(words, words.dropFirst()).map { "\($0) \($1)" }).sorted()
    var lines = [
      "\\data\\", "ngram 1=\(vocabulary.count + 1)", "ngram 2=\(pairs.count)", "",
      "\\1-grams:",
      "-5\t<unk>",
    ]
    lines += vocabulary.map { $0 == "<s>" ? "-99\t<s>\t-1" : "-3\t\($0)\t-1" }
    lines += ["", "\\2-grams:"] + pairs.map { "-0.1\t\($0)" } + ["", "\\end\\", ""]
    return lines.joined(separator: "\n")
  }

  @Test(arguments: ["none", "rescore", "joint", "full-context"])
  func everyPassRuns(name: String) throws {
    let result = try transcribe(Sample.dreamland, "--latency", "640ms", "--final-pass", name)
    expectSuccess(result)
    #expect(try result.output == Sample.text(Sample.dreamland) + "\n")
  }

  /// The decoder's own text, which today's decoder does not get right.
  @Test func draftGivesTheDecodersText() throws {
    let result = try transcribe(Sample.dreamland, "--latency", "640ms", "--final-pass", "draft")
    expectSuccess(result)
    #expect(result.output.contains("dreamland"))
  }

  @Test func auxiliaryWeights() throws {
    let tiny = try TinyModel(
      seed: 5,
      decoder: DecoderConfig(
        width: 16, heads: 2, feedForwardWidth: 32, leftLayers: 3, rightLayers: 0, vocabulary: 12,
        startEnd: 11, auxiliaryHeads: [1, 0]),
      decoding: DecodingConfig(attentionWeight: 10))
    defer { tiny.remove() }
    func heard(_ arguments: String...) throws -> Starling.Result {
      try Starling.run(
        ["transcribe", Sample.dreamland, "--model", tiny.directory, "--final-pass", "rescore"]
          + arguments)
    }
    let plain = try heard()
    expectSuccess(plain)
    #expect(try heard("--auxiliary-weights", "0,0").output == plain.output)
    let mixed = try heard("--auxiliary-weights", "0.25,0.75")
    expectSuccess(mixed)
    #expect(mixed.output != plain.output)
    expectRefusal(try heard("--auxiliary-weights", "0.5"), saying: "[0.5]", "2 auxiliary heads")
    expectRefusal(try heard("--auxiliary-weights", "0.5,0.6"), saying: "at most 1")
    expectUsageError(try heard("--auxiliary-weights", "0.5,"), saying: "'0.5,'")
    expectRefusal(
      try transcribe(Sample.dreamland, "--auxiliary-weights", "0.5"), saying: "no auxiliary heads")
  }

  @Test func hotWordsOfAFile() throws {
    let folder = TemporaryFolder()
    let list = try folder.write("words.txt", "# places\nSaline\t2\n".utf8)
    let landscape = Places.samples + "/landscape.flac"
    let plain = try transcribe(landscape, "--latency", "640ms")
    let mended = try transcribe(landscape, "--latency", "640ms", "--hot-words", list)
    expectSuccess(mended)
    #expect(plain.output.contains("nothing cline in"))
    #expect(mended.output == plain.output.replacing("nothing cline", with: "nothing saline"))
  }

  @Test func aLanguageModelHelpsAndWeightZeroChangesNothing() throws {
    let folder = TemporaryFolder()
    let landscape = Places.samples + "/landscape.flac"
    let truth = try Sample.text(landscape)
    let model = try folder.write("words.arpa", arpa(truth).utf8)
    let plain = try transcribe(landscape)
    let helped = try transcribe(landscape, "--lm", model, "--lm-weight", "0.5")
    expectSuccess(helped)
    func errors(_ text: String) -> Int {
      let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
      return words.difference(from: truth.split(separator: " ").map(String.init)).count
    }
    #expect(errors(helped.output) < errors(plain.output))
    #expect(try transcribe(landscape, "--lm", model, "--lm-weight", "0").output == plain.output)
  }

  @Test func aLanguageModelRescoresAndWeightZeroChangesNothing() throws {
    let folder = TemporaryFolder()
    let landscape = Places.samples + "/landscape.flac"
    let truth = try Sample.text(landscape)
    let model = try folder.write("words.arpa", arpa(truth).utf8)
    func run(_ arguments: String...) throws -> Starling.Result {
      let result = try Starling.run(
        ["transcribe", landscape, "--final-pass", "rescore", "--latency", "640ms"] + arguments)
      expectSuccess(result)
      return result
    }
    let plain = try run()
    let helped = try run("--rescoring-lm", model, "--rescoring-lm-weight", "1")
    func errors(_ text: String) -> Int {
      let words = text.split(whereSeparator: \.isWhitespace).map(String.init)
      return words.difference(from: truth.split(separator: " ").map(String.init)).count
    }
    #expect(errors(helped.output) < errors(plain.output))
    #expect(
      try run("--rescoring-lm", model, "--rescoring-lm-weight", "0").output == plain.output)
    let listed = try run("--rescoring-lm", model, "--n-best", "2", "--format", "jsonl")
    #expect(listed.output.contains("\"rescoring_language_model\": -"))
    expectUsageError(
      try transcribe(landscape, "--rescoring-lm", model), saying: "--final-pass rescore")
    expectRefusal(
      try transcribe(
        landscape, "--final-pass", "rescore", "--rescoring-lm", "/nowhere.arpa"),
      saying: "/nowhere.arpa")
  }
}
