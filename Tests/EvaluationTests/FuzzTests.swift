import Evaluation
import TestSupport
import Testing

/// Whatever a file holds, reading it ends in utterances or an error, and scoring what was read in
/// counts that add up.
@Suite struct FuzzTests {
  private static let samples: [(String, String)] = [
    ("text", "a one two\nb three\n"), ("x.trn", "one two (s-1)\nthree (s-2)\n"),
    ("x.stm", ";; c\nf 1 s 0 2 <o> one two\nf 1 s 2 3 IGNORE_TIME_SEGMENT_IN_SCORING\n"),
    ("x.ctm", "f 1 0.5 0.1 one 0.9\nf 1 1.5 0.1 two\n"),
    ("x.csv", "id,text,duration\na,\"one, \"\"two\"\"\",2\nb,three,1\n"),
    ("x.tsv", "path\tsentence\tclient_id\na/b.wav\tone\tx\n"),
    ("x.json", #"[{"id": "a", "text": "one"}, {"id": "b", "text": "two"}]"#),
    ("x.jsonl", #"{"audio_filepath": "a.wav", "text": "one", "duration": 1}"# + "\n"),
    ("x.txt", "one two\n\nthree\n"),
  ]
  private let files = Files()

  @Test(arguments: samples) func damagedFiles(_ name: String, _ text: String) throws {
    var generator = SeededGenerator(seed: 9)
    var scorer = Scorer(normalizer: .english)
    var read = 0
    for _ in 0..<400 {
      var bytes = Array(text.utf8)
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let place = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.remove(at: place)
        case 2:
          bytes.insert(
            Array(" \t\n\",(){}<>-.e9".utf8).randomElement(using: &generator)!, at: place)
        default: bytes.removeSubrange(place...)
        }
        if bytes.isEmpty { bytes = [10] }
      }
      let path = try files.write(name, bytes)
      do throws(EvaluationError) {
        let list = try UtteranceList(path: path, columns: UtteranceColumns(.reference))
        let pairing = try UtterancePairing(list, list)
        let score = scorer.score(pairing, name: "").summary
        #expect(score.words.errors == 0)
        #expect(score.utterances == pairing.pairs.count)
        read += 1
      } catch {
        #expect(error.file == path)
      }
    }
    #expect(read > 0, "no damaged file could be read: the samples are wrong")
  }

  /// Every normaliser takes every text.
  @Test(arguments: TextNormalizer.allCases) func anyText(_ normalizer: TextNormalizer) {
    var generator = SeededGenerator(seed: 10)
    let parts = [
      "twenty", "one", "hundred", "million", "nineteen", "nineties", "point", "oh", "double", "and",
      "a", "first", "percent", "dollars", "cents", "9", "1,000", "3.5", "99999999999999999999",
      "1e400", "$", "-", "'s", "n't", "(", "[", "<", ">", ")", "，", "你", "नि", "é", "\u{301}",
      "\u{0}", "🙂", "ß", "İ", "colourised", "\u{202E}",
    ]
    for _ in 0..<3_000 {
      let words = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
        parts.randomElement(using: &generator)!
      }
      let separator = Bool.random(using: &generator) ? " " : ""
      for token in normalizer.tokens(words.joined(separator: separator)) {
        #expect(!token.isEmpty && !token.contains(where: \.isWhitespace))
      }
    }
  }
}
