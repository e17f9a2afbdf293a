import Evaluation
import Foundation
import TestSupport
import Testing

@Suite struct StatisticsTests {
  /// 40 speakers with their own error rates, some utterances without a speaker.
  private static let corpus: (speakers: [String?], errors: [Int], lengths: [Int]) = {
    var generator = SeededGenerator(seed: 5)
    var all: (speakers: [String?], errors: [Int], lengths: [Int]) = ([], [], [])
    for speaker in 0..<40 {
      let rate = Double.random(in: 0.02..<0.2, using: &generator)
      for _ in 0..<Int.random(in: 5...40, using: &generator) {
        let length = Int.random(in: 1...30, using: &generator)
        all.speakers.append(speaker == 0 ? nil : "s\(speaker)")
        all.lengths.append(length)
        all.errors.append(
          (0..<length).count { _ in Double.random(in: 0..<1, using: &generator) < rate })
      }
    }
    return all
  }()

  @Test func blocksAreSpeakers() {
    let bootstrap = BlockBootstrap(speakers: ["a", "b", "a", nil, nil])
    #expect(bootstrap.unit == .speaker)
    #expect(bootstrap.blockCount == 4)
    #expect(BlockBootstrap(speakers: ["a", "a", "a"]).unit == .utterance)
    #expect(BlockBootstrap(speakers: ["a", "a", "a"]).blockCount == 3)
    #expect(BlockBootstrap(speakers: [nil, nil]).blockCount == 2)
  }

  /// Two blocks have three draws: 0, 1/2 and 1, with 1/4, 1/2 and 1/4.
  @Test func drawsAreThoseOfTwoBlocks() {
    let bootstrap = BlockBootstrap(speakers: ["a", "b"], draws: 20_000)
    let rates = bootstrap.rates(errors: [0, 4], lengths: [4, 4])
    for (rate, share) in [(0.0, 0.25), (0.5, 0.5), (1, 0.25)] {
      #expect(abs(Double(rates.count { $0 == rate }) / 20_000 - share) < 0.015)
    }
    #expect(bootstrap.interval(errors: [0, 4], lengths: [4, 4]).lower == 0)
    #expect(rates == bootstrap.rates(errors: [0, 4], lengths: [4, 4]))
    #expect(
      rates
        != BlockBootstrap(speakers: ["a", "b"], draws: 20_000, seed: 2)
        .rates(errors: [0, 4], lengths: [4, 4]))
  }

  @Test func percentilesAreNumpys() {
    // numpy.percentile([1, 2, 4, 8, 16], [5, 95]) is [1.2, 14.4].
    let interval = ConfidenceInterval(percentilesOf: [4, 1, 16, 2, 8], confidence: 0.9)
    #expect(abs(interval.lower - 1.2) < 1e-12)
    #expect(abs(interval.upper - 14.4) < 1e-12)
  }

  /// With other random numbers ends differ by the bootstrap's own noise: a few hundredths of the
  /// interval's width at 10,000 draws.
  @Test(.enabled(if: Python.has("numpy"), "numpy is not installed for python3"))
  func intervalsAgreeWithPython() throws {
    let (speakers, errors, lengths) = Self.corpus
    let rows = zip(speakers.enumerated(), zip(errors, lengths)).map { speaker, counts in
      "\(speaker.element ?? "u\(speaker.offset)") \(counts.0) \(counts.1)"
    }
    let output = try Python.run(
      """
      import sys, numpy as np
      rows = [line.split() for line in sys.stdin]
      names = sorted({row[0] for row in rows})
      sums = np.zeros((len(names), 2))
      for name, errors, length in rows:
          sums[names.index(name)] += int(errors), int(length)
      draws = sums[np.random.default_rng(11).integers(len(names), size=(10000, len(names)))].sum(1)
      print(*np.percentile(draws[:, 0] / draws[:, 1], [2.5, 97.5]))
      """, input: rows.joined(separator: "\n"))
    let expected = output.split(separator: " ").map { Double($0.filter { $0 != "\n" })! }
    let found = BlockBootstrap(speakers: speakers).interval(errors: errors, lengths: lengths)
    let width = expected[1] - expected[0]
    #expect(abs(found.lower - expected[0]) < 0.05 * width)
    #expect(abs(found.upper - expected[1]) < 0.05 * width)
  }

  @Test func aBetterSystemIsBetter() {
    let (speakers, _, _) = Self.corpus
    var generator = SeededGenerator(seed: 6)
    var scorer = Scorer()
    func system(_ rate: Double) -> SystemScore {
      let utterances = speakers.enumerated().map { index, speaker in
        var reference = Utterance(id: "\(index)", text: "", line: 1)
        reference.speaker = speaker
        let words = (0..<20).map { "w\($0)" }
        reference.text = words.joined(separator: " ")
        let heard = words.map { Double.random(in: 0..<1, using: &generator) < rate ? "x" : $0 }
        return scorer.score(reference, heard.joined(separator: " "))
      }
      return SystemScore(name: "", utterances: utterances, tokens: scorer.tokens)
    }
    let (worse, better) = (system(0.2), system(0.1))
    let bootstrap = BlockBootstrap(speakers: speakers, draws: 2_000)
    let comparison = PairedComparison(worse, better, bootstrap: bootstrap)
    #expect(comparison.difference < 0)
    #expect(comparison.interval.upper < 0)
    #expect(comparison.probabilityOfImprovement == 1)
    #expect(comparison.matchedPairs.p < 1e-6)
    #expect(comparison.matchedPairs.z < 0)
    let reversed = PairedComparison(better, worse, bootstrap: bootstrap)
    #expect(reversed.difference == -comparison.difference)
    #expect(reversed.probabilityOfImprovement == 0)
    let same = PairedComparison(worse, worse, bootstrap: bootstrap)
    #expect(same.difference == 0)
    #expect(same.probabilityOfImprovement == 0.5)
    #expect(same.matchedPairs.p == 1)
  }

  /// By hand: segments end after two words that both have right, and with the utterance.
  @Test func segmentsByHand() {
    let (m, s, d, i) = (
      EditOperation.match, EditOperation.substitution, EditOperation.deletion,
      EditOperation.insertion
    )
    let pairs = MatchedPairs([
      // Wrong at 0 in one, at 3 in the other: two right words between, so two segments: -1, +1.
      ([s, m, m, m, m], [m, m, m, s, m]),
      // Only one right word between: one segment, 0.
      ([s, m, m], [m, m, d]),
      // Both right: no segment. Then an insertion at the end: -1.
      ([m, m, m], [m, m, m]), ([m, i], [m]),
    ])
    #expect(pairs.segments == 4)
    #expect(pairs.meanDifference == -0.25)
    // Differences -1, 1, 0, -1: deviation sqrt(2.75 / 3).
    #expect(abs(pairs.deviation - (2.75 / 3).squareRoot()) < 1e-12)
    #expect(abs(pairs.z - -0.25 / ((2.75 / 3).squareRoot() / 2)) < 1e-12)
    #expect(abs(pairs.p - erfc(abs(pairs.z) / 2.0.squareRoot())) < 1e-12)
  }
}
