import Decoding
import Foundation
import TestSupport
import Testing

@Suite struct JointSearchTests {
  /// Three tokens; class 3 is the blank of CTC, and sos and eos of the decoder.
  private func problem(_ frames: Int, _ seed: UInt64) -> CTCProblem {
    var generator = SeededGenerator(seed: seed)
    return CTCProblem(frames: frames, classes: 4, blank: 3, &generator)
  }

  private let wide = JointSearchOptions(
    beamSize: 100_000, preBeamRatio: 0, maxLengthRatio: 1, nBest: 100_000)

  @Test func ctcAloneReproducesItsRankingOfCompleteStrings() {
    for seed in 1...6 as ClosedRange<UInt64> {
      let problem = problem(5, seed)
      let attention = TableAttention.random(vocabulary: 4, seed: seed)
      var options = wide
      options.ctcWeight = 1
      let result = JointSearch(options).search(attention, ctc: problem.scorer())
      let exact = problem.posteriors()
      #expect(result.hypotheses.count == exact.count)
      for hypothesis in result.hypotheses {
        #expect(isClose(hypothesis.total, exact[hypothesis.tokens] ?? .nan))
        #expect(hypothesis.ctcScore == hypothesis.ctcScore && hypothesis.attentionScore == 0)
      }
      let totals = result.hypotheses.map(\.total)
      #expect(totals == totals.sorted(by: >))
      #expect(attention.steps == 0 && result.passes == 0, "λ = 1 needs no decoder")
      #expect(
        problem.search().nBest(5, isEnd: true).map(\.ids)
          == result.hypotheses.prefix(5).map(\.tokens))
    }
  }

  @Test func weightedSumsAreExactForEveryString() {
    for (seed, weight) in [(1, 0), (2, 0), (3, 0.3), (4, 0.5), (5, 0.9)] {
      let problem = problem(4, UInt64(seed))
      let attention = TableAttention.random(vocabulary: 4, seed: UInt64(seed))
      var options = wide
      (options.ctcWeight, options.lengthBonus) = (weight, 0.7)
      let result = JointSearch(options).search(attention, ctc: problem.scorer())
      let exact = problem.posteriors()
      // λ = 0 does not even exclude what CTC finds impossible.
      #expect(result.hypotheses.count == (weight == 0 ? 121 : exact.count))
      #expect(result.passes == 5 && attention.steps == 5)
      for hypothesis in result.hypotheses {
        let p = attention.logProb(hypothesis.tokens)
        let ctc = weight == 0 ? 0 : exact[hypothesis.tokens]!
        #expect(isClose(hypothesis.attentionScore, p))
        #expect(isClose(hypothesis.ctcScore, ctc))
        let bonus = 0.7 * Double(hypothesis.tokens.count + 1)
        #expect(isClose(hypothesis.total, (1 - weight) * p + weight * ctc + bonus))
      }
    }
  }

  /// Beam search over the decoder alone, written plainly.
  private func attentionBeam(_ attention: TableAttention, beam: Int, maxLength: Int) -> [[Int]] {
    var running: [(tokens: [Int], score: Double)] = [([], 0)]
    var finished: [(tokens: [Int], score: Double)] = []
    for length in 0...maxLength {
      let rows = attention.logProbs(running.map(\.tokens), .left)
      var next: [(tokens: [Int], score: Double)] = []
      for (row, hypothesis) in zip(rows, running) {
        for token in 0..<4 where length < maxLength || token == 3 {
          let score = hypothesis.score + Double(row[length * 4 + token])
          next.append((hypothesis.tokens + [token], score))
        }
      }
      next.sort { $0.score > $1.score }
      if length < maxLength { next = Array(next.prefix(beam)) }
      finished += next.filter { $0.tokens.last == 3 }
      running = next.filter { $0.tokens.last != 3 }
    }
    return finished.sorted { $0.score > $1.score }.map { $0.tokens.dropLast() }
  }

  @Test func withoutCTCEqualsPureAttention() {
    for seed in 1...40 as ClosedRange<UInt64> {
      let attention = TableAttention.random(vocabulary: 4, seed: seed)
      let beam = 1 + Int(seed % 4)
      let options = JointSearchOptions(
        beamSize: beam, ctcWeight: 0, maxLengthRatio: 1, nBest: 1000)
      let ctc = problem(8, seed).scorer()
      let found = JointSearch(options).search(attention, ctc: ctc).hypotheses.map(\.tokens)
      #expect(found == attentionBeam(attention, beam: beam, maxLength: 8))
      if beam == 1 {
        #expect(found == [AttentionGreedy(maxLength: 8).search(attention).tokens])
      }
    }
  }

  /// With the default pre-beam and small beams the text is still the best of all strings in most
  /// problems, and never has a better score than it.
  @Test func preBeamScoresAreExact() {
    var agreed = 0
    for seed in 1...40 as ClosedRange<UInt64> {
      let problem = problem(5, seed)
      let attention = TableAttention.random(vocabulary: 4, seed: seed)
      let exact = problem.posteriors()
      let options = JointSearchOptions(beamSize: 2, ctcWeight: 0.4, preBeamRatio: 1)
      let best = JointSearch(options).search(attention, ctc: problem.scorer()).hypotheses[0]
      func total(_ tokens: [Int]) -> Double {
        0.6 * attention.logProb(tokens) + 0.4 * exact[tokens]!
      }
      #expect(isClose(best.total, total(best.tokens)))
      let bestOfAll = exact.keys.map(total).max()!
      #expect(best.total <= bestOfAll + 1e-5)
      if best.total > bestOfAll - 1e-5 { agreed += 1 }
    }
    #expect(agreed > 25)
  }

  @Test func stoppingEarlyChangesNoneOfTheBest() {
    for seed in 1...30 as ClosedRange<UInt64> {
      let ctc = problem(12, seed).scorer()
      var options = JointSearchOptions(beamSize: 6, ctcWeight: 0.3, maxLengthRatio: 1, nBest: 500)
      let attention = TableAttention.random(vocabulary: 4, seed: seed)
      let all = JointSearch(options).search(attention, ctc: ctc)
      options.nBest = 3
      let few = JointSearch(options).search(attention, ctc: ctc)
      #expect(few.hypotheses == Array(all.hypotheses.prefix(3)))
      #expect(few.passes < all.passes)
    }
  }

  @Test func lengthsAreLimited() {
    // Says 0 for ever.
    let endless = TableAttention.probabilities(vocabulary: 4) { _ in [0.97, 0.01, 0.01, 0.01] }
    let ctc = problem(10, 1).scorer()
    var options = JointSearchOptions(beamSize: 1, ctcWeight: 0, maxLengthRatio: 0.55)
    func lengths(_ options: JointSearchOptions) -> [Int] {
      JointSearch(options).search(endless, ctc: ctc).hypotheses.map(\.tokens.count)
    }
    #expect(lengths(options) == [5])
    options.maxLengthRatio = 0.01
    #expect(lengths(options) == [1])
    options.maxLengthRatio = 0
    #expect(lengths(options) == [10])
    // Would say nothing at all.
    let silent = TableAttention.probabilities(vocabulary: 4) { _ in [0.02, 0.01, 0.01, 0.96] }
    options.minLengthRatio = 0.4
    let found = JointSearch(options).search(silent, ctc: ctc).hypotheses
    #expect(found[0].tokens == [0, 0, 0, 0])
  }

  @Test func retriesWithASmallerLeastLength() {
    // Nothing but "1" is possible.
    let sure = CTCProblem(
      probabilities: [[0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1]], blank: 3)
    let attention = TableAttention.random(vocabulary: 4, seed: 1)
    let options = JointSearchOptions(beamSize: 3, minLengthRatio: 1)
    let found = JointSearch(options).search(attention, ctc: sure.scorer())
    #expect(found.hypotheses.map(\.tokens) == [[1]])
    #expect(found.passes > 2)
  }

  @Test func noFrames() {
    let none = CTCProblem(probabilities: [], blank: 3)
    let attention = TableAttention.random(vocabulary: 4, seed: 1)
    for weight in [0, 0.5, 1] {
      let options = JointSearchOptions(ctcWeight: weight)
      let found = JointSearch(options).search(attention, ctc: none.scorer()).hypotheses
      #expect(found.map(\.tokens) == [[]])
    }
  }

  @Test func optionsAreChecked() {
    #expect(throws: Never.self) { try JointSearchOptions().validate() }
    for change: (inout JointSearchOptions) -> Void in [
      { $0.beamSize = 0 }, { $0.ctcWeight = 1.1 }, { $0.ctcWeight = .nan },
      { $0.lengthBonus = .infinity }, { $0.preBeamRatio = 0.5 }, { $0.maxLengthRatio = -1 },
      { $0.minLengthRatio = .nan }, { $0.nBest = 0 },
    ] {
      var options = JointSearchOptions()
      change(&options)
      #expect(throws: SearchOptionError.self) { try options.validate() }
    }
  }
}
