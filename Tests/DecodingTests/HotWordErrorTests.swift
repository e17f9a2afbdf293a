import Decoding
import Foundation
import TestSupport
import Testing

@Suite struct HotWordErrorTests {
  private let vocabulary = Vocabulary(pieces: ["▁a", "▁b", "b"], blank: 3)

  private func message(_ words: [HotWord], boost: Double = 1) -> String? {
    do throws(HotWordError) {
      _ = try HotWords(words, boost: boost, segmenter: TokenSegmenter(vocabulary))
      return nil
    } catch {
      return error.description
    }
  }

  @Test func phrases() {
    #expect(message([HotWord("a"), HotWord("")]) == "hot word 2: has no words")
    #expect(message([HotWord(" \t ")]) == "hot word 1: has no words")
    #expect(
      message([HotWord("a fox")])
        == "hot word 1: 'a fox' cannot be spelled with the model's pieces: no piece has 'f'")
    #expect(
      message([HotWord(String(repeating: "a ", count: 501))])
        == "hot word 1: is 1002 characters long; at most 1000 are possible")
    #expect(
      message(Array(repeating: HotWord("a"), count: 20_001))
        == "20001 hot words; at most 20000 are possible")
    #expect(message(Array(repeating: HotWord("a"), count: 20_000)) == nil)
  }

  @Test(arguments: [Double.nan, .infinity, 20.5, -20.1]) func boosts(boost: Double) {
    #expect(
      message([HotWord("a", boost: boost)])
        == "hot word 1: the boost is \(boost), expected a number from -20 to 20 nats")
    #expect(
      message([HotWord("a")], boost: boost)
        == "the default boost is \(boost), expected a number from -20 to 20 nats")
    #expect(message([HotWord("a", boost: 20), HotWord("b", boost: -20)]) == nil)
  }

  private func read(_ bytes: [UInt8]) throws(HotWordError) -> [HotWord] {
    let folder = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try! Data(bytes).write(to: URL(fileURLWithPath: folder + "/names.txt"))
    do {
      return try HotWord.read(contentsOf: folder + "/names.txt").map {
        HotWord(
          $0.phrase, boost: $0.boost, place: $0.place.map { String($0.dropFirst(folder.count)) })
      }
    } catch {
      throw HotWordError(
        place: error.place.map { String($0.dropFirst(folder.count)) }, reason: error.reason)
    }
  }

  @Test func files() throws {
    #expect(
      try read(Array("\u{FEFF}# names\nNew York\t3.5\r\n\n  \nb\t -2 \na # b".utf8))
        == [
          HotWord("New York", boost: 3.5, place: "/names.txt, line 2"),
          HotWord("b", boost: -2, place: "/names.txt, line 5"),
          HotWord("a # b", place: "/names.txt, line 6"),
        ])
    #expect(try read([]).isEmpty)
  }

  @Test func badFiles() throws {
    func reason(_ bytes: [UInt8]) -> String? {
      do throws(HotWordError) {
        let words = try read(bytes)
        return message(words)
      } catch {
        return error.description
      }
    }
    #expect(reason(Array("a\nb\tx\n".utf8)) == "/names.txt, line 2: the boost 'x' is not a number")
    #expect(
      reason(Array("a\t1\t2".utf8))
        == "/names.txt, line 1: expected a phrase, optionally a tab and a boost, found 'a\t1\t2'")
    #expect(
      reason(Array("#\na\tnan".utf8))
        == "/names.txt, line 2: the boost is nan, expected a number from -20 to 20 nats")
    #expect(reason(Array("a\n\t3".utf8)) == "/names.txt, line 2: has no words")
    #expect(
      reason(Array("a\ncab".utf8))
        == "/names.txt, line 2: 'cab' cannot be spelled with the model's pieces: no piece has 'c'")
    #expect(reason([0x61, 0xFF]) == "/names.txt: is not UTF-8 text")
    #expect(
      reason(Array(String(repeating: "a\n", count: 20_001).utf8))
        == "/names.txt, line 20001: more than 20000 hot words; list fewer")
    #expect(throws: HotWordError(place: "/", reason: "cannot be read; it lists a hot word a line"))
    {
      try HotWord.read(contentsOf: "/")
    }
  }
}
