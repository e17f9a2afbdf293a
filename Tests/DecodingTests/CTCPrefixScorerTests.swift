import Decoding
import Foundation
import TestSupport
import Testing

@Suite struct CTCPrefixScorerTests {
  /// Problems of 1…6 frames, 2…4 classes, any blank, some with impossible classes.
  private func problems(_ count: Int, seed: UInt64) -> [CTCProblem] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { index in
      let classes = Int.random(in: 2...4, using: &generator)
      return CTCProblem(
        frames: 1 + index % 6, classes: classes,
        blank: Int.random(in: 0..<classes, using: &generator), withZeros: index % 4 == 3,
        &generator)
    }
  }

  private func state(_ scorer: CTCPrefixScorer, _ tokens: [Int]) -> CTCPrefix {
    tokens.reduce(scorer.empty) { scorer.extend($0, by: $1) }
  }

  @Test func equalsEnumeration() {
    for problem in problems(60, seed: 1) {
      let scorer = problem.scorer()
      let posteriors = problem.posteriors()
      for prefix in problem.prefixes(upTo: 4) {
        let state = state(scorer, prefix)
        let all = logSum(posteriors.filter { $0.key.starts(with: prefix) }.values)
        #expect(isClose(scorer.score(state), all), "ψ\(prefix) of \(problem)")
        #expect(
          isClose(scorer.endScore(state), posteriors[prefix] ?? -.infinity),
          "ψ(\(prefix)·eos) of \(problem)")
      }
    }
  }

  @Test func conservation() {
    for problem in problems(60, seed: 2) {
      let scorer = problem.scorer()
      for prefix in problem.prefixes(upTo: 3) {
        let state = state(scorer, prefix)
        let parts = [scorer.endScore(state)] + scorer.scores(of: problem.labels, after: state)
        // Frames of floats sum to one to 1e-7.
        #expect(isClose(scorer.score(state), logSum(parts), 2e-6))
      }
    }
  }

  @Test func preBeamFormEqualsFullForm() {
    for problem in problems(30, seed: 3) {
      let scorer = problem.scorer()
      let prefixes = problem.prefixes(upTo: 2).map { state(scorer, $0) }
      let batch = scorer.scores(
        of: prefixes.map { _ in problem.labels.reversed() }, after: prefixes)
      for (prefix, scores) in zip(prefixes, batch) {
        let full = scorer.scores(after: prefix)
        #expect(full[problem.blank] == CTCPrefixScorer.impossible)
        #expect(scores == problem.labels.reversed().map { full[$0] })
        for label in problem.labels {
          #expect(isClose(full[label], scorer.score(scorer.extend(prefix, by: label)), 1e-9))
        }
      }
    }
  }

  @Test func repeatedLabelNeedsABlankBetween() {
    let sure = CTCProblem(probabilities: [[0.9, 0.1], [0.9, 0.1], [0.9, 0.1]], blank: 1)
    // Only a·blank·a spells "aa".
    #expect(isClose(sure.scorer().logProb(of: [0, 0]), log(0.9 * 0.1 * 0.9)))
    let twoFrames = CTCProblem(probabilities: [[0.9, 0.1], [0.9, 0.1]], blank: 1)
    #expect(twoFrames.scorer().logProb(of: [0, 0]) == CTCPrefixScorer.impossible)
    let noBlank = CTCProblem(probabilities: [[1, 0], [1, 0], [1, 0]], blank: 1)
    #expect(noBlank.scorer().logProb(of: [0, 0]) == CTCPrefixScorer.impossible)
    #expect(isClose(noBlank.scorer().logProb(of: [0]), 0))
  }

  @Test func prefixesLongerThanTheAudioAreImpossible() {
    var generator = SeededGenerator(seed: 4)
    for frames in 0...3 {
      let problem = CTCProblem(frames: frames, classes: 3, blank: 2, &generator)
      let scorer = problem.scorer()
      let tokens = (0...frames).map { $0 % 2 }
      let state = state(scorer, tokens)
      #expect(scorer.score(state) == CTCPrefixScorer.impossible)
      #expect(scorer.endScore(state) == CTCPrefixScorer.impossible)
      #expect(scorer.scores(of: [0, 1], after: state) == [-1e10, -1e10])
      #expect(scorer.score(self.state(scorer, Array(tokens.dropLast()))) > -100)
    }
  }

  @Test func singleFrame() {
    let problem = CTCProblem(probabilities: [[0.5, 0.2, 0.3]], blank: 1)
    let scorer = problem.scorer()
    #expect(scorer.score(scorer.empty) == 0)
    #expect(isClose(scorer.endScore(scorer.empty), log(0.2)))
    let scores = scorer.scores(after: scorer.empty)
    #expect(isClose(scores[0], log(0.5)) && isClose(scores[2], log(0.3)))
    #expect(isClose(scorer.logProb(of: [2]), log(0.3)))
  }

  @Test func longAudioStaysExact() {
    // 500 frames of which the text explains all: the score is that of the one good path and its
    // neighbours, never a rounding of thousands of nats.
    let text = (0..<50).map { $0 % 7 }
    let frames = text.flatMap { [$0, 7, 7, 7, 7, 7, 7, 7, 7, 7] }
    let problem = CTCProblem(spelling: frames, classes: 8, blank: 7, sure: 0.999)
    let scorer = problem.scorer()
    let score = scorer.logProb(of: text)
    #expect(score < 0 && score > 500 * log(0.999) - 1e-3)
    #expect(scorer.logProb(of: Array(text.dropLast())) < score - 5)
  }
}
