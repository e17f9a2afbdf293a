import Decoding
import Foundation
import TestSupport
import Testing

@Suite struct CTCPrefixBeamSearchTests {
  private func problems(_ count: Int, seed: UInt64, sharpness: Float = 2) -> [CTCProblem] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { index in
      CTCProblem(
        frames: 1 + index % 6, classes: 2 + index % 3, blank: index % 2, sharpness: sharpness,
        withZeros: index % 5 == 4, &generator)
    }
  }

  @Test func withoutPruningEqualsExactPosteriors() {
    for problem in problems(60, seed: 1) {
      let posteriors = problem.posteriors()
      let nBest = problem.search().nBest(isEnd: true)
      #expect(nBest.count == posteriors.count)
      for hypothesis in nBest {
        #expect(isClose(hypothesis.ctcScore, posteriors[hypothesis.ids] ?? .nan))
        #expect(hypothesis.total == hypothesis.ctcScore)
      }
      #expect(nBest.map(\.total) == nBest.map(\.total).sorted(by: >))
      #expect(problem.search().bestTokens == nBest[0].tokens)
    }
  }

  @Test func chunkedEqualsWhole() {
    let options = [CTCPrefixBeamOptions.exact, .init(beamSize: 3, tokensPerFrame: 2)]
    for problem in problems(24, seed: 2) {
      for options in options {
        let whole = problem.search(options).nBest(isEnd: true)
        for portions in problem.allPortions() {
          let chunked = problem.search(options, portions: portions)
          #expect(chunked.nBest(isEnd: true) == whole)
          #expect(chunked.frameCount == problem.rows.count)
        }
      }
    }
  }

  /// Many frames, so that dropped prefixes come back and memory is tidied.
  @Test(arguments: [
    CTCPrefixBeamOptions(beamSize: 4, tokensPerFrame: 3),
    CTCPrefixBeamOptions(beamSize: 10, tokensPerFrame: 5),
    CTCPrefixBeamOptions(beamSize: 12, tokensPerFrame: 80, beamThreshold: 6),
    CTCPrefixBeamOptions(beamSize: 8, tokensPerFrame: 10, minTokenLogProb: -3),
  ])
  func prunedEqualsReference(_ options: CTCPrefixBeamOptions) {
    var generator = SeededGenerator(seed: 3)
    let problem = CTCProblem(speech: 700, classes: 70, blank: 69, &generator)
    var search = CTCPrefixBeamSearch(blank: 69, options: options)
    var reference = ReferencePrefixBeam(blank: 69, options: options)
    for frame in problem.rows.indices {
      problem.withLogProbs(frame..<frame + 1) { search.advance($0) }
      reference.advance(problem.rows[frame])
      guard frame % 100 == 99 || frame < 20 else { continue }
      let found = search.nBest(isEnd: true)
      #expect(found.map(\.ids) == reference.nBest.map(\.tokens), "frame \(frame)")
      for (a, b) in zip(found, reference.nBest) {
        #expect(isClose(a.ctcScore, b.score, 1e-6), "frame \(frame)")
      }
    }
  }

  @Test func memoryIsBoundedByTheText() {
    var generator = SeededGenerator(seed: 4)
    var search = CTCPrefixBeamSearch(blank: 0)
    let problem = CTCProblem(frames: 200, classes: 40, blank: 0, sharpness: 0.5, &generator)
    let silence = CTCProblem(spelling: [0], classes: 40, blank: 0, sure: 0.9)
    problem.withLogProbs { search.advance($0) }
    for _ in 0..<20_000 { silence.withLogProbs { search.advance($0) } }
    #expect(search.prefixCount <= 4096 + 11)
    #expect(search.frameCount == 20_200)
  }

  @Test func pruningKeepsTheBestOfPeakyFrames() {
    var generator = SeededGenerator(seed: 5)
    for problem in problems(200, seed: 6, sharpness: 5) where problem.rows.count > 3 {
      let exact = problem.posteriors().sorted { $0.value > $1.value }
      guard exact.count > 1, exact[0].value - exact[1].value > 1 else { continue }
      let pruned = problem.search(.init(beamSize: 4, tokensPerFrame: 2, beamThreshold: 12))
      #expect(pruned.nBest(isEnd: true)[0].ids == exact[0].key)
    }
    let text = (0..<30).map { _ in Int.random(in: 0..<9, using: &generator) }
    let problem = CTCProblem(
      spelling: text.flatMap { [$0, 9, 9] }, classes: 10, blank: 9, sure: 0.8)
    #expect(problem.search(.init(beamSize: 2, tokensPerFrame: 2)).bestTokens.map(\.id) == text)
  }

  @Test func copiesLookAheadWithoutATrace() {
    var generator = SeededGenerator(seed: 7)
    let problem = CTCProblem(speech: 60, classes: 6, blank: 5, &generator)
    var search = CTCPrefixBeamSearch(blank: 5)
    for start in stride(from: 0, to: 60, by: 6) {
      problem.withLogProbs(start..<start + 6) { search.advance($0) }
      var ahead = search
      problem.withLogProbs(0..<9) { ahead.advance($0) }
    }
    #expect(search.nBest(isEnd: true) == problem.search(.init()).nBest(isEnd: true))
  }

  @Test func resetBeginsAnUtteranceInTheSameStream() {
    let problem = CTCProblem(spelling: [2, 0, 2, 1], classes: 3, blank: 2)
    var search = problem.search(.init())
    search.reset()
    #expect(search.bestTokens.isEmpty && search.frameCount == 4)
    problem.withLogProbs { search.advance($0) }
    #expect(search.bestTokens.map(\.id) == [0, 1])
    #expect(search.bestTokens.map(\.frame) == [5, 7])
  }

  @Test func noFramesAndImpossibleFrames() {
    var search = CTCPrefixBeamSearch(blank: 0)
    #expect(search.nBest(isEnd: true) == [Hypothesis(tokens: [], ctcScore: 0)])
    #expect(search.margin == .infinity && search.commonPrefix().isEmpty)
    let problem = CTCProblem(spelling: [1, 2], classes: 3, blank: 0)
    problem.withLogProbs { search.advance($0) }
    let before = search.nBest(isEnd: true)
    for value in [-Float.infinity, .nan] {
      [value, value, value].withUnsafeBufferPointer { search.advance($0) }
    }
    #expect(search.nBest(isEnd: true) == before)
  }

  @Test func optionsAreChecked() {
    #expect(throws: Never.self) { try CTCPrefixBeamOptions().validate() }
    #expect(throws: Never.self) { try CTCPrefixBeamOptions.exact.validate() }
    #expect(throws: SearchOptionError.self) { try CTCPrefixBeamOptions(beamSize: 0).validate() }
    #expect(throws: SearchOptionError.self) {
      try CTCPrefixBeamOptions(tokensPerFrame: 0).validate()
    }
    #expect(throws: SearchOptionError.self) {
      try CTCPrefixBeamOptions(beamThreshold: .nan).validate()
    }
    let error = #expect(throws: SearchOptionError.self) {
      try CTCPrefixBeamOptions(blankSkip: 1.5).validate()
    }
    #expect(error?.description == "blank skip is 1.5, expected more than 0, at most 1")
  }
}
