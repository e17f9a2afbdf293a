import Evaluation
import Foundation
import TestSupport
import Testing

@Suite struct AlignerTests {
  @Test func handMadePairs() {
    // By hand; the last two are ties, and read as jiwer reads them.
    let cases: [(String, String, String)] = [
      ("", "", ""), ("a", "", "D"), ("", "a", "I"), ("abc", "abc", "MMM"), ("abc", "axc", "MSM"),
      ("abc", "ac", "MDM"), ("ac", "abc", "MIM"), ("ab", "bc", "SS"), ("abcd", "bcde", "DMMMI"),
    ]
    var aligner = Aligner()
    for (reference, hypothesis, expected) in cases {
      let found = aligner.align(letters(reference), letters(hypothesis))
      #expect(found.map(letter).joined() == expected, "\(reference) against \(hypothesis)")
    }
  }

  /// With every rule the alignment is one, and its cost the least, for pairs of one block of bits
  /// and of several.
  @Test(arguments: [(AlignmentRule.levenshtein, 1, 1), (.sclite, 4, 3)])
  func costIsLeast(_ rule: AlignmentRule, _ substitution: Int, _ gap: Int) {
    var pairs = RandomPairs(seed: 7)
    var aligner = Aligner(rule: rule)
    let slow = ReferenceAligner(substitution: substitution, gap: gap)
    for index in 0..<3_000 {
      let (reference, hypothesis) = pairs.next(longest: index % 10 == 0 ? 300 : 40)
      let operations = aligner.align(reference, hypothesis)
      guard isAlignment(operations, reference, hypothesis),
        slow.cost(ErrorCounts(operations)) == slow.cost(reference, hypothesis)
      else {
        Issue.record("pair \(index): \(line(reference)) | \(line(hypothesis))")
        return
      }
    }
  }

  @Test(.enabled(if: Python.has("jiwer"), "jiwer is not installed for python3"))
  func countsAreThoseOfJiwer() throws {
    var pairs = RandomPairs(seed: 1)
    let all = (0..<10_000).map { pairs.next(longest: $0 % 100 == 0 ? 400 : 30) }
    let input = all.map { line($0.reference) + "\t" + line($0.hypothesis) }
    let output = try Python.run(
      """
      import sys, jiwer
      for row in sys.stdin.read().split("\\n"):
          reference, hypothesis = row.split("\\t")
          o = jiwer.process_words(reference, hypothesis)
          c = jiwer.process_characters(reference, hypothesis)
          print(o.hits, o.substitutions, o.deletions, o.insertions, repr(float(o.wer)), repr(float(o.mer)),
                repr(float(o.wil)), c.hits, c.substitutions, c.deletions, c.insertions, repr(float(c.cer)))
      """, input: input.joined(separator: "\n"))
    let rows = output.split(separator: "\n").map { $0.split(separator: " ").map { Double($0)! } }
    try #require(rows.count == all.count)
    var scorer = Scorer()
    for (index, (pair, row)) in zip(all, rows).enumerated() {
      let score = scorer.score(
        Utterance(id: "", text: line(pair.reference), line: 1), line(pair.hypothesis))
      let (words, characters) = (score.words, score.characters)
      let counts = [
        words.hits, words.substitutions, words.deletions, words.insertions, characters.hits,
        characters.substitutions, characters.deletions, characters.insertions,
      ]
      let rates = [
        words.errorRate, words.matchErrorRate, words.informationLost, characters.errorRate,
      ]
      guard counts.map(Double.init) == Array(row[0..<4] + row[7..<11]),
        zip(rates, [row[4], row[5], row[6], row[11]]).allSatisfy({ abs($0 - $1) < 1e-12 })
      else {
        Issue.record("pair \(index): \(counts) \(rates), jiwer \(row): \(input[index])")
        return
      }
    }
  }

  @Test(.enabled(if: Command.exists("sctk"), "sclite is not installed (Debian package sctk)"))
  func countsAreThoseOfSclite() throws {
    var pairs = RandomPairs(seed: 2)
    let all = (0..<10_000).map { _ in pairs.next(longest: 30) }
    let folder = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (name, side) in [("ref", all.map(\.reference)), ("hyp", all.map(\.hypothesis))] {
      let lines = side.enumerated().map { "\(line($1)) (s_\($0))\n" }
      try lines.joined().write(toFile: "\(folder)/\(name).trn", atomically: true, encoding: .utf8)
    }
    let output = try Command.run([
      "sctk", "sclite", "-i", "rm", "-r", folder + "/ref.trn", "trn", "-h", folder + "/hyp.trn",
      "trn", "-o",
      "pra", "stdout",
    ])
    var scores: [Int: [Int]] = [:]
    var id = -1
    for row in output.split(separator: "\n") {
      if row.hasPrefix("id: (s_") { id = Int(row.dropFirst(7).dropLast())! }
      if row.hasPrefix("Scores: (#C #S #D #I)") {
        scores[id] = row.split(separator: " ").suffix(4).map { Int($0)! }
      }
    }
    try #require(scores.count == all.count)
    var aligner = Aligner(rule: .sclite)
    for (index, pair) in all.enumerated() {
      let counts = ErrorCounts(aligner.align(pair.reference, pair.hypothesis))
      let found = [counts.hits, counts.substitutions, counts.deletions, counts.insertions]
      guard found == scores[index] else {
        Issue.record(
          "\(found), sclite \(scores[index]!): \(line(pair.reference)) | \(line(pair.hypothesis))")
        return
      }
    }
  }

  /// Long texts: halved, in a band that had to grow, dense and sparse bits.
  @Test(arguments: [(Int32(30), 0.05), (5_000, 0.1), (5_000, 0.6)])
  func longTextsHaveTheFewestErrors(_ vocabulary: Int32, _ rate: Double) {
    var pairs = RandomPairs(seed: 3)
    let reference = pairs.tokens(12_000, vocabulary)
    let hypothesis = pairs.damaged(reference, vocabulary, rate)
    var aligner = Aligner()
    let operations = aligner.align(reference, hypothesis)
    #expect(isAlignment(operations, reference, hypothesis))
    #expect(ErrorCounts(operations).errors == ReferenceAligner().cost(reference, hypothesis))
  }

  private func letters(_ text: String) -> [Int32] { text.unicodeScalars.map { Int32($0.value) } }

  private func letter(_ operation: EditOperation) -> String {
    switch operation {
    case .match: "M"
    case .substitution: "S"
    case .deletion: "D"
    case .insertion: "I"
    }
  }
}
