import CZlib
import Foundation
import TestSupport
import Testing

/// Decoding options, hot words and language models that cannot be used: one line says why.
@Suite struct DecodingFaultTests {
  private let folder = TemporaryFolder()

  private func transcribe(_ arguments: String...) throws -> Starling.Result {
    try Starling.run(["transcribe", Sample.dreamland] + arguments)
  }

  @Test(arguments: [
    ("--final-pass", "magic", "'magic' is invalid"), ("--beam", "0", "expected 1 to 1000"),
    ("--beam", "-1", "--beam is -1, expected 1 to 1000"),
    ("--beam", "1001", "expected 1 to 1000"), ("--beam", "99999999999999999999", "invalid"),
    ("--lm-weight", "11", "expected 0 to 10"), ("--lm-weight", "-1", "expected 0 to 10"),
    ("--lm-weight", "nan", "expected 0 to 10"), ("--lm-weight", "inf", "expected 0 to 10"),
    ("--joint-length-bonus", "-21", "expected -20 to 20"),
    ("--attention-weight", "-1", "expected 0 to 100"),
    ("--reverse-weight", "nan", "expected 0 to 1"),
    ("--length-bonus", "20.5", "expected -20 to 20"),
    ("--joint-ctc-weight", "inf", "expected 0 to 1"),
    ("--n-best", "-1", "expected 0 to 100"), ("--hot-word-boost", "20.5", "expected -20 to 20"),
    ("--rescoring-lm-weight", "-1", "expected 0 to 10"),
    ("--hot-word-boost", "-21", "expected -20 to 20"),
    ("--hot-word-boost", "nan", "--hot-word-boost is nan, expected -20 to 20"),
    ("--hot-word-boost", "inf", "expected -20 to 20"),
    ("--final-threshold", "-1", "expected a number of at least 0"),
    ("--final-threshold", "nan", "expected a number of at least 0"),
    ("--final-threshold", "inf", "expected a number of at least 0"),
    ("--endpoint-silence", "0", "expected a positive number of seconds or 'never'"),
    ("--endpoint-silence", "-1", "expected a positive number"),
    ("--endpoint-silence", "soon", "expected a positive number"),
    ("--endpoint-no-text", "nan", "expected a positive number"),
    ("--longest-utterance", "inf", "expected a positive number"),
  ])
  func badValues(option: String, value: String, saying: String) throws {
    let result = try transcribe(option, value)
    expectUsageError(result, saying: saying)
    #expect(result.errors.contains(option))
  }

  /// A value that begins with a dash is a value.
  @Test func aNegativeBoost() throws {
    let result = try transcribe("--hot-word", "dreamland", "--hot-word-boost", "-3")
    expectSuccess(result)
    #expect(result.output.contains("drift") && !result.output.contains("dreamland"))
  }

  @Test func badHotWords() throws {
    expectRefusal(try transcribe("--hot-word", ""), saying: "hot word 1", "has no words")
    expectRefusal(try transcribe("--hot-word", "a", "--hot-word", " \t "), saying: "hot word 2")
    expectRefusal(try transcribe("--hot-word", "naïve"), saying: "naïve", "'ï'")
    expectRefusal(try transcribe("--hot-word", "Ünïcode7"), saying: "'Ünïcode7'", "'ü'")
  }

  @Test func badHotWordFiles() throws {
    for (name, bytes, saying) in [
      ("encoding", [0x61, 0xFF], "is not UTF-8 text"),
      ("boost", Array("one\ntwo\tmuch".utf8), "line 2: the boost 'much' is not a number"),
      ("nan", Array("one\tnan".utf8), "line 1: the boost is nan"),
      ("range", Array("one\t21".utf8), "line 1: the boost is 21.0, expected a number from -20"),
      ("tab", Array("#\none\t".utf8), "line 2: the boost '' is not a number"),
      ("fields", Array("one\t1\t2".utf8), "line 1: expected a phrase, optionally a tab"),
      ("phrase", Array("\t2".utf8), "line 1: has no words"),
      ("letter", Array("one\nÜnïcode7".utf8), "line 2: 'Ünïcode7' cannot be spelled"),
      ("many", Array(String(repeating: "one\n", count: 20_001).utf8), "more than 20000 hot words"),
    ] as [(String, [UInt8], String)] {
      let file = try folder.write(name + ".txt", bytes)
      expectRefusal(try transcribe("--hot-words", file), saying: name + ".txt", saying)
    }
    for path in ["/nowhere", folder.path] {
      expectRefusal(try transcribe("--hot-words", path), saying: path, "cannot be read")
    }
    // A file without hot words is none, and says nothing.
    let empty = try folder.write("empty.txt", "# nothing yet\n".utf8)
    expectSuccess(try transcribe("--hot-words", empty))
  }

  private let arpa = """
    \\data\\
    ngram 1=5
    ngram 2=2

    \\1-grams:
    -5 <unk>
    -99 <s> -1
    -3 </s> -1
    -1 now -1
    -1 dreamland -1

    \\2-grams:
    -0.1 <s> now
    -0.1 dreamland </s>

    \\end\\

    """

  private func expectRefused(
    _ name: String, _ bytes: some Sequence<UInt8>, saying: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let file = try folder.write(name, bytes)
    expectRefusal(
      try transcribe("--lm", file), saying: name, saying, sourceLocation: sourceLocation)
  }

  @Test func badLanguageModels() throws {
    expectSuccess(try transcribe("--lm", try folder.write("good.arpa", arpa.utf8)))
    for (name, part, other, saying) in [
      ("data", "\\data\\\n", "", "has no \\data\\ section"),
      ("unigrams", "\\1-grams:\n", "", "line 5: expected 'ngram ORDER=COUNT'"),
      ("section", "\\2-grams:", "\\3-grams:", "line 12: expected the section \\2-grams:"),
      ("nan", "-1 now", "nan now", "line 9: the log-probability is 'nan'"),
      ("count", "ngram 1=5", "ngram 1=6", "has 5 n-grams, but \\data\\ states 6"),
      ("fewer", "ngram 2=2", "ngram 2=1", "has 2 n-grams, but \\data\\ states 1"),
      ("end", "\\end\\\n", "", "without \\end\\"),
    ] {
      #expect(arpa.contains(part))
      try expectRefused(
        name + ".arpa", arpa.replacing(part, with: other, maxReplacements: 1).utf8, saying: saying)
    }
    try expectRefused("empty.arpa", [], saying: "has no \\data\\ section")
    var generator = SeededGenerator(seed: 3)
    let junk = (0..<100_000).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    try expectRefused("junk.arpa", junk, saying: "ARPA file")
    try expectRefused("junk.gz", [0x1F, 0x8B, 8, 0] + junk, saying: "damaged")
    for (path, saying) in [("/nowhere.arpa", "no such file"), (folder.path, "is a folder")] {
      expectRefusal(try transcribe("--lm", path), saying: path, saying)
    }
  }

  @Test func aLanguageModelCutShortInItsGzip() throws {
    let path = folder.path + "/good.arpa.gz"
    let file = try #require(gzopen(path, "wb"))
    gzwrite(file, arpa, UInt32(arpa.utf8.count))
    gzclose(file)
    expectSuccess(try transcribe("--lm", path))
    let all = try bytes(of: path)
    for count in [all.count - 1, all.count / 2, 12] {
      try expectRefused("cut.arpa.gz", all.prefix(count), saying: "cut short")
    }
  }

  @Test func aLanguageModelOfAnotherVocabulary() throws {
    try expectRefused(
      "russian.arpa",
      arpa.replacing("now", with: "теперь").replacing("dreamland", with: "страна").utf8,
      saying: "cannot spell, such as")
    try expectRefused(
      "pieces.arpa", arpa.replacing("now", with: "▁now").replacing("dreamland", with: "▁qzx").utf8,
      saying: "is not over this model's pieces")
  }

  /// A list as long as a telephone book costs neither time nor memory, and mends nothing that
  /// needs no mending.
  @Test func tenThousandHotWords() throws {
    let letters = Array("abcdefghij")
    let words = (0..<10_000).map { number in
      String(String(format: "%04d", number).map { letters[$0.wholeNumberValue!] }) + "q"
    }
    let list = try folder.write("many.txt", words.joined(separator: "\n").utf8)
    let (few, many) = (try transcribe("--hot-word", "q"), try transcribe("--hot-words", list))
    expectSuccess(many)
    #expect(try many.output == Sample.text(Sample.dreamland) + "\n")
    #expect(many.peakBytes < few.peakBytes + 50_000_000)
  }

  @Test func missingVoiceActivityWeights() throws {
    try FileManager.default.createDirectory(
      atPath: folder.path + "/bin", withIntermediateDirectories: true)
    let executable = folder.path + "/bin/starling"
    try Starling.copyExecutable(to: executable)
    for command in ["transcribe", "stream"] {
      let arguments = [command, "--vad"] + (command == "stream" ? [] : [Sample.dreamland])
      let result = try Starling.run(arguments, executable: executable)
      expectRefusal(result, saying: "expected silero-vad/silero_vad_16k.safetensors in")
      #expect(!result.errors.contains("--model"), "another model would not help")
    }
    // Nor do damaged weights.
    let weights = try folder.write(
      "models/silero-vad/silero_vad_16k.safetensors", Array(repeating: 7, count: 100))
    let damaged = try Starling.run(
      ["transcribe", "--vad", Sample.dreamland], executable: executable)
    expectRefusal(damaged, saying: (weights as NSString).lastPathComponent)
  }
}
