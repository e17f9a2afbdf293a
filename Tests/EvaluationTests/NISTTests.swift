import Evaluation
import Foundation
import TestSupport
import Testing

/// Scores by NIST's own programs of the same files.
@Suite(.enabled(if: Command.exists("sctk"), "sclite is not installed (Debian package sctk)"))
struct NISTTests {
  private let files = Files()

  /// Segments of several recordings and speakers, with words near their ends and in ignored time.
  @Test func timedWordsInSegments() throws {
    var pairs = RandomPairs(seed: 21)
    var generator = SeededGenerator(seed: 22)
    var (stm, ctm) = ("", "")
    for recording in 0..<6 {
      var time = 0.0
      for segment in 0..<30 {
        let words = pairs.tokens(Int.random(in: 1...12, using: &generator), 200)
        let heard = pairs.damaged(words, 200, 0.2)
        let end = time + 0.3 * Double(words.count)
        let text = segment % 7 == 3 ? "IGNORE_TIME_SEGMENT_IN_SCORING" : line(words)
        stm += "f\(recording) 1 s\(segment % 3) \(fixed(time)) \(fixed(end)) <o> \(text)\n"
        let starts = heard.map { _ in Double.random(in: max(0, time - 0.2)...end, using: &generator)
        }
        for (word, start) in zip(heard, starts.sorted()) {
          // The 5 keeps a word's middle off a segment's end, where sclite's rounding would decide.
          ctm += "f\(recording) 1 \(fixed(start))5 0.100 \(line([word]))\n"
        }
        time = end + [0, 0.5, 1].randomElement(using: &generator)!
      }
    }
    // sclite wants words sorted.
    let sorted = ctm.split(separator: "\n").map { ($0.split(separator: " "), $0) }.sorted {
      ($0.0[0], Double($0.0[2])!) < ($1.0[0], Double($1.0[2])!)
    }.map { $0.1 + "\n" }.joined()
    let reference = try files.write("r.stm", stm)
    let hypothesis = try files.write("h.ctm", sorted)
    let output = try Command.run([
      "sctk", "sclite", "-r", reference, "stm", "-h", hypothesis, "ctm", "-o", "rsum", "stdout",
    ])
    let sum = try #require(output.split(separator: "\n").first { $0.contains("| Sum ") })
    let expected = sum.split { !$0.isNumber }.map { Int($0)! }

    var scorer = Scorer(rule: .sclite)
    let pairing = try UtterancePairing(
      UtteranceList(path: reference, columns: UtteranceColumns(.reference)),
      UtteranceList(path: hypothesis, columns: UtteranceColumns(.hypothesis)))
    let score = scorer.score(pairing, name: "").summary
    let words = score.words
    // Sentences, words, right, substituted, deleted, inserted, errors, wrong sentences.
    #expect(
      expected == [
        score.utterances, words.referenceLength, words.hits, words.substitutions,
        words.deletions, words.insertions, words.errors, score.wrongUtterances,
      ])
  }

  /// The matched pairs test has as many segments with as many errors.
  @Test func matchedPairsSegments() throws {
    var pairs = RandomPairs(seed: 23)
    var scorer = Scorer(rule: .sclite)
    let references = (0..<200).map { _ in pairs.tokens(20, 100) }
    let systems = [0.15, 0.1].map { rate in references.map { pairs.damaged($0, 100, rate) } }
    func trn(_ texts: [[Int32]]) -> String {
      texts.enumerated().map { "\(line($1)) (s\($0 % 10)-\($0))\n" }.joined()
    }
    let reference = try files.write("r.trn", trn(references))
    var scores: [SystemScore] = []
    for (name, texts) in zip(["a", "b"], systems) {
      let hypothesis = try files.write("\(name).trn", trn(texts))
      _ = try Command.run([
        "sctk", "sclite", "-i", "spu_id", "-r", reference, "trn", "-h", hypothesis, "trn", "-o",
        "sgml", "-n", name, "-O", files.folder,
      ])
      let pairing = try UtterancePairing(
        UtteranceList(path: reference, columns: UtteranceColumns(.reference)),
        UtteranceList(path: hypothesis, columns: UtteranceColumns(.hypothesis)))
      scores.append(scorer.score(pairing, name: name))
    }
    let both = try files.write(
      "both.sgml",
      try ["a", "b"].map {
        try String(contentsOfFile: "\(files.folder)/\($0).sgml", encoding: .utf8)
      }
      .joined())
    // It writes to the current folder, too.
    let output = try Command.run(
      ["-C", files.folder, "sctk", "sc_stats", "-p", "-t", "mapsswe", "-v", "-n", "-"], input: both)
    func numbers(_ prefix: String) -> [Int] {
      let row = output.split(separator: "\n").first { $0.contains(prefix) } ?? ""
      return row.split { !$0.isNumber }.compactMap { Int($0) }
    }
    let operations = zip(scores[0].utterances, scores[1].utterances).map {
      (first: $0.operations, second: $1.operations)
    }
    let found = MatchedPairs(operations)
    #expect(numbers("Number of Segments").first == found.segments)
    #expect(numbers("Totals").suffix(2) == scores.map(\.summary.words.errors)[...])
    let mean = Double(scores[1].summary.words.errors - scores[0].summary.words.errors)
    #expect(abs(found.meanDifference - mean / Double(found.segments)) < 1e-12)
  }

  private func fixed(_ seconds: Double) -> String { String(format: "%.3f", seconds) }
}
