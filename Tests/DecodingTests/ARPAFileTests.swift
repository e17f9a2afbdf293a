import CZlib
import Decoding
import Foundation
import LanguageModels
import TestSupport
import Testing

@Suite struct ARPAFileTests {
  private func write(_ text: String, gzipped path: String) {
    let file = gzopen(path, "wb")!
    var text = text
    text.withUTF8 { _ = gzwrite(file, $0.baseAddress, UInt32($0.count)) }
    gzclose(file)
  }

  @Test func gzipEqualsPlain() throws {
    let folder = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var generator = SeededGenerator(seed: 1)
    let words = ["<s>", "</s>"] + (0..<500).map { "word\($0)" }
    let naive = DictionaryModel.random(words, order: 3, grams: 20_000, using: &generator)
    let text = naive.arpa(using: &generator)
    try text.write(toFile: folder + "/lm.arpa", atomically: true, encoding: .utf8)
    write(text, gzipped: folder + "/lm.arpa.gz")
    let (plain, zipped) = (
      try NGramModel(contentsOf: folder + "/lm.arpa"),
      try NGramModel(contentsOf: folder + "/lm.arpa.gz")
    )
    #expect(plain.counts == zipped.counts)
    let sentence = (0..<2000).map { _ in words.randomElement(using: &generator)! }
    #expect(plain.scores(sentence) == zipped.scores(sentence))
    #expect(try NGramModel(arpa: text).scores(sentence) == plain.scores(sentence))
  }

  @Test func badFiles() throws {
    let folder = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func message(_ name: String) -> String? {
      do throws(LanguageModelError) {
        _ = try NGramModel(contentsOf: folder + name)
        return nil
      } catch {
        return String(error.description.dropFirst(folder.count))
      }
    }
    #expect(message("/none") == "/none: no such file")
    #expect(message("") == ": is a folder; name an ARPA file")
    var generator = SeededGenerator(seed: 2)
    let naive = DictionaryModel.random(["a", "b"], order: 2, grams: 10, using: &generator)
    write(naive.arpa(using: &generator), gzipped: folder + "/lm.gz")
    #expect(message("/lm.gz") == nil)
    let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/lm.gz"))
    try data.dropLast(20).write(to: URL(fileURLWithPath: folder + "/cut.gz"))
    #expect(message("/cut.gz") == "/cut.gz: the gzip data is cut short; fetch it again")
    var broken = data
    broken[data.count - 6] ^= 0x55
    try broken.write(to: URL(fileURLWithPath: folder + "/broken.gz"))
    #expect(message("/broken.gz")?.contains("the gzip data is damaged") == true)
    try Data("\\data\\\nngram 1=1\n\\1-grams:\nx a\n".utf8)
      .write(to: URL(fileURLWithPath: folder + "/bad.arpa"))
    #expect(
      message("/bad.arpa")
        == "/bad.arpa, line 4: the log-probability is 'x', expected a number")
  }

  /// Resident memory of this process, in bytes.
  private func resident() throws -> Int {
    let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(
      separator: " ")
    return Int(fields[1])! * 4096
  }

  @Test func aMillionNGrams() throws {
    let folder = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var generator = SeededGenerator(seed: 3)
    let size = 100
    var text = "\\data\\\nngram 1=\(size)\nngram 2=\(size * size)\nngram 3=\(size * size * size)\n"
    for order in 1...3 {
      text += "\\\(order)-grams:\n"
      for index in 0..<Int(pow(Double(size), Double(order))) {
        text += "-\(Int.random(in: 0...4, using: &generator)).25"
        var rest = index
        for _ in 0..<order {
          text += "\tword\(rest % size)"
          rest /= size
        }
        text += order < 3 ? "\t-0.5\n" : "\n"
      }
    }
    text += "\\end\\\n"
    try text.write(toFile: folder + "/lm.arpa", atomically: false, encoding: .utf8)
    text = ""
    let before = try resident()
    var model: NGramModel?
    let loading = try ContinuousClock().measure {
      model = try NGramModel(contentsOf: folder + "/lm.arpa")
    }
    let grown = try resident() - before
    var context = model!.sentenceStart
    let asking = ContinuousClock().measure {
      for step in 0..<1_000_000 {
        context = model!.score(step &* 7919 % size, after: context).context
      }
    }
    print("1,010,100 n-grams: \(loading), \(grown >> 20) MiB; a million questions: \(asking)")
    #expect(model!.counts == [100, 10_000, 1_000_000])
    #expect(loading < .seconds(20))
    #expect(grown < 120 << 20)
  }
}
