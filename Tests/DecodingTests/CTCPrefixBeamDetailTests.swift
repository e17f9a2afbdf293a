import Decoding
import Foundation
import TestSupport
import Testing

/// Times, common prefixes, blank skipping, and biases of the prefix beam search.
@Suite struct CTCPrefixBeamDetailTests {
  @Test func timesAreThePeaks() {
    let problem = CTCProblem(
      probabilities: [
        [0.1, 0.1, 0.8],
        [0.6, 0.1, 0.3],
        [0.7, 0.1, 0.2],  // The peak of 0.
        [0.5, 0.1, 0.4],
        [0.1, 0.1, 0.8],
        [0.9, 0.05, 0.05],  // 0 again, after a blank.
        [0.1, 0.7, 0.2],
      ], blank: 2)
    let best = problem.search().nBest(isEnd: true)[0]
    #expect(best.ids == [0, 0, 1])
    #expect(best.tokens.map(\.frame) == [2, 5, 6])
    #expect(best.tokens.map(\.logProb) == [0.7, 0.9, 0.7].map { Float(log($0)) })
  }

  /// The times of every hypothesis are those of its best path, found by trying all paths.
  @Test func timesAreThoseOfTheBestPath() {
    var generator = SeededGenerator(seed: 1)
    for _ in 0..<40 {
      let problem = CTCProblem(frames: 5, classes: 3, blank: 0, sharpness: 3, &generator)
      let best = bestPaths(problem)
      for hypothesis in problem.search().nBest(isEnd: true) {
        #expect(hypothesis.tokens == best[hypothesis.ids]!)
      }
    }
  }

  private func bestPaths(_ problem: CTCProblem) -> [[Int]: [DecodedToken]] {
    typealias Path = (tokens: [DecodedToken], last: Int, score: Double)
    var paths: [Path] = [([], problem.blank, 0)]
    for (frame, row) in problem.rows.enumerated() {
      paths = paths.flatMap { path in
        row.indices.map { id in
          var tokens = path.tokens
          if id == path.last, id != problem.blank {
            if row[id] > tokens.last!.logProb {
              tokens[tokens.count - 1] = DecodedToken(id: id, frame: frame, logProb: row[id])
            }
          } else if id != problem.blank {
            tokens.append(DecodedToken(id: id, frame: frame, logProb: row[id]))
          }
          return (tokens, id, path.score + Double(row[id]))
        }
      }
    }
    var best: [[Int]: Path] = [:]
    for path in paths where path.score > best[path.tokens.map(\.id)]?.score ?? -.infinity {
      best[path.tokens.map(\.id)] = path
    }
    return best.mapValues(\.tokens)
  }

  @Test func commonPrefixIsNeverTakenBack() {
    var generator = SeededGenerator(seed: 2)
    var longest = 0
    for _ in 0..<20 {
      let problem = CTCProblem(speech: 200, classes: 6, blank: 5, &generator)
      var search = CTCPrefixBeamSearch(blank: 5)
      var committed: [Int] = []
      for frame in 0..<200 {
        problem.withLogProbs(frame..<frame + 1) { search.advance($0) }
        let prefix = search.commonPrefix().map(\.id)
        #expect(prefix.starts(with: committed))
        #expect(search.nBest(isEnd: false).allSatisfy { $0.ids.starts(with: prefix) })
        #expect(search.commonPrefix(within: 0) == search.bestTokens)
        #expect(search.commonPrefix(within: 2).map(\.id).starts(with: prefix))
        committed = prefix
      }
      longest = max(longest, committed.count)
    }
    #expect(longest > 10)
  }

  @Test func marginIsThatOfTheTwoBest() {
    let problem = CTCProblem(probabilities: [[0.5, 0.2, 0.3]], blank: 1)
    #expect(isClose(problem.search().margin, log(0.5 / 0.3)))
  }

  /// A skipped frame is one in which nothing but the blank is possible, at its own probability.
  @Test func skippedFramesAreBlankOnly() {
    var generator = SeededGenerator(seed: 3)
    var skipped = 0
    for _ in 0..<40 {
      let problem = CTCProblem(frames: 6, classes: 3, blank: 1, sharpness: 3, &generator)
      var blanked = problem
      for frame in blanked.rows.indices where blanked.rows[frame][1] > log(0.7) {
        (blanked.rows[frame][0], blanked.rows[frame][2]) = (-.infinity, -.infinity)
        skipped += 1
      }
      var options = CTCPrefixBeamOptions.exact
      options.blankSkip = 0.7
      let found = problem.search(options).nBest(isEnd: true)
      let exact = blanked.posteriors()
      #expect(found.count == exact.count)
      for hypothesis in found {
        #expect(isClose(hypothesis.ctcScore, exact[hypothesis.ids] ?? .nan))
      }
    }
    #expect(skipped > 20)
  }

  @Test func skippingSureBlanksChangesNothing() {
    let problem = CTCProblem(
      probabilities: [[0, 1], [0.9, 0.1], [0, 1], [0, 1], [0.8, 0.2], [0.3, 0.7]], blank: 1)
    var skipping = CTCPrefixBeamOptions.exact
    skipping.blankSkip = 0.99
    let found = problem.search(skipping).nBest(isEnd: true)
    #expect(found == problem.search().nBest(isEnd: true).filter { $0.total > -.infinity })
    // The skipped blanks keep equal labels apart.
    #expect(found[0].ids == [0, 0])
    skipping.blankSkip = 1
    #expect(problem.search(skipping).nBest(isEnd: true) == problem.search().nBest(isEnd: true))
  }

  /// A point for each "0 1", of which half is paid at the "0" and taken back if no "1" follows.
  private struct PhraseBias: TokenBias {
    let start = 0
    func step(_ state: Int, token: Int) -> (state: Int, score: Double) {
      switch (state, token) {
      case (1, 1): (0, 0.5)
      case (1, 0): (1, 0)
      case (1, _): (0, -0.5)
      case (_, 0): (1, 0.5)
      default: (0, 0)
      }
    }
    func finish(_ state: Int) -> Double { state == 1 ? -0.5 : 0 }
  }

  private func phrases(_ ids: [Int]) -> Double {
    Double(zip(ids, ids.dropFirst()).count { $0 == (0, 1) })
  }

  @Test func biasesAreCountedApartFromCTC() {
    var generator = SeededGenerator(seed: 4)
    for _ in 0..<20 {
      let problem = CTCProblem(frames: 6, classes: 4, blank: 3, &generator)
      let posteriors = problem.posteriors()
      let found = problem.search(
        biases: [
          WeightedBias(PhraseBias(), weight: 2), WeightedBias(PhraseBias(), weight: 0),
          WeightedBias(TokenCountBias(), weight: -0.25),
        ]
      ).nBest(isEnd: true)
      #expect(found.count == posteriors.count)
      #expect(found.map(\.total) == found.map(\.total).sorted(by: >))
      for hypothesis in found {
        let (ids, score) = (hypothesis.ids, hypothesis.ctcScore)
        #expect(isClose(score, posteriors[ids]!))
        #expect(hypothesis.biasScores == [phrases(ids), Double(ids.count)])
        #expect(
          isClose(hypothesis.total, score + 2 * phrases(ids) - 0.25 * Double(ids.count), 1e-9))
      }
    }
  }

  @Test func biasSteersThePrunedBeamAndWeightZeroDoesNot() {
    let problem = CTCProblem(
      probabilities: [[0.3, 0.05, 0.5, 0.15], [0.05, 0.3, 0.5, 0.15]], blank: 3)
    let narrow = CTCPrefixBeamOptions(beamSize: 2, tokensPerFrame: 3)
    #expect(problem.search(narrow).bestTokens.map(\.id) == [2])
    let off = problem.search(narrow, biases: [WeightedBias(PhraseBias(), weight: 0)])
    #expect(off.nBest(isEnd: true) == problem.search(narrow).nBest(isEnd: true))
    let on = problem.search(narrow, biases: [WeightedBias(PhraseBias(), weight: 4)])
    #expect(on.bestTokens.map(\.id) == [0, 1])
    #expect(on.nBest(isEnd: true)[0].biasScores == [1])
  }

  /// Biases stay with their prefixes when memory is tidied.
  @Test func biasesSurviveTidying() {
    var generator = SeededGenerator(seed: 5)
    let problem = CTCProblem(speech: 2500, classes: 30, blank: 29, &generator)
    let found = problem.search(
      .init(),
      biases: [
        WeightedBias(PhraseBias(), weight: 1.5), WeightedBias(TokenCountBias(), weight: 0.01),
      ])
    #expect(found.prefixCount < 12_000)
    for hypothesis in found.nBest(isEnd: true) {
      #expect(hypothesis.biasScores == [phrases(hypothesis.ids), Double(hypothesis.ids.count)])
    }
  }
}
