import Decoding
import Foundation
import TestSupport
import Testing

@Suite struct CTCForcedAlignmentTests {
  @Test func equalsBruteForce() throws {
    var generator = SeededGenerator(seed: 1)
    var aligned = 0
    for _ in 0..<600 {
      let vocabulary = Int.random(in: 2...4, using: &generator)
      let blank = Int.random(in: 0..<vocabulary, using: &generator)
      let table = ScoreTable(
        random: Int.random(in: 1...6, using: &generator), vocabulary, using: &generator)
      let classes = (0..<vocabulary).filter { $0 != blank }
      let tokens = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
        classes.randomElement(using: &generator)!
      }
      let best = bestPath(tokens, table, blank: blank)
      do {
        let found = try align(tokens, table, blank: blank)
        check(found, tokens, table, blank: blank)
        #expect(abs(try score(found, table, blank: blank) - #require(best)) < 1e-5)
        aligned += 1
      } catch {
        #expect(best == nil)
        let needed = CTCForcedAlignment.framesNeeded(tokens)
        #expect(error as? AlignmentError == .tooShort(frames: table.frames, needed: needed))
      }
    }
    #expect(aligned > 300)
  }

  @Test func shortAudioIsAnError() throws {
    var generator = SeededGenerator(seed: 2)
    let table = ScoreTable(random: 3, 3, using: &generator)
    #expect(throws: AlignmentError.tooShort(frames: 3, needed: 5)) {
      try align([1, 1, 1], table, blank: 0)
    }
    #expect(throws: AlignmentError.tooShort(frames: 3, needed: 4)) {
      try align([1, 2, 1, 2], table, blank: 0)
    }
    #expect(try align([1, 1], table, blank: 0).map(\.frames) == [0..<1, 2..<3])
    #expect(try align([], table, blank: 0).isEmpty)
  }

  @Test func noTokensInNoFrames() throws {
    var none: Float = 0
    let logProbs = LogProbs(&none, frames: 0, vocabulary: 2)
    #expect(try CTCForcedAlignment(blank: 0).align([], to: logProbs).isEmpty)
    #expect(throws: AlignmentError.tooShort(frames: 0, needed: 1)) {
      try CTCForcedAlignment(blank: 0).align([1], to: logProbs)
    }
  }

  @Test func impossibleIsAnError() {
    let table = ScoreTable(values: Array(repeating: [0, -.infinity], count: 8).flatMap { $0 }, 2)
    for band in [nil, 1] {
      #expect(throws: AlignmentError.impossible) {
        try align([1, 1], table, blank: 0, band: band)
      }
    }
  }

  /// A band that holds the exact path changes nothing; one that cannot reach the end grows.
  @Test func bandEqualsExactOnMatchingText() throws {
    var generator = SeededGenerator(seed: 3)
    let (table, tokens) = ScoreTable.spoken(tokens: 1500, using: &generator)
    let exact = try align(tokens, table, blank: 0)
    check(exact, tokens, table, blank: 0)
    for band in [20, 100, 1500, 5000] {
      #expect(try align(tokens, table, blank: 0, band: band) == exact, "band \(band)")
    }
  }

  @Test func bandOfOneStillFindsAPath() throws {
    var generator = SeededGenerator(seed: 6)
    for _ in 0..<100 {
      let table = ScoreTable(
        random: Int.random(in: 12...60, using: &generator), 4, using: &generator)
      let tokens = (0..<12).map { 1 + $0 % 3 }
      let found = try align(tokens, table, blank: 0, band: 1)
      check(found, tokens, table, blank: 0)
      let exact = try align(tokens, table, blank: 0)
      #expect(
        score(found, table, blank: 0) <= score(exact, table, blank: 0) + 1e-9)
      #expect(try align(tokens, table, blank: 0, band: 12) == exact)
    }
  }

  /// Random scores over several blocks of back-pointers, against a table of all of them.
  @Test func blocksEqualOneTable() throws {
    var generator = SeededGenerator(seed: 7)
    for frames in [15, 16, 17, 64, 65, 333] {
      let table = ScoreTable(random: frames, 5, using: &generator)
      let tokens = (0..<frames / 4).map { _ in Int.random(in: 1...4, using: &generator) }
      let found = try align(tokens, table, blank: 0)
      check(found, tokens, table, blank: 0)
      let best = viterbiScore(tokens, table, blank: 0)
      #expect(abs(score(found, table, blank: 0) - best) < 1e-6, "\(frames) frames")
    }
  }

  @Test func hourOfSpeechIsBounded() throws {
    var generator = SeededGenerator(seed: 8)
    // 90,000 frames are an hour.
    let (table, tokens) = ScoreTable.spoken(
      tokens: 20_000, framesPerToken: 4, using: &generator)
    #expect(table.frames > 80_000)
    let found = try align(tokens, table, blank: 0, band: 2000)
    check(found, tokens, table, blank: 0)
    #expect(found.count { $0.posterior > 0.5 } > found.count * 9 / 10)
  }

  // MARK: Helpers

  private func align(
    _ tokens: [Int], _ table: ScoreTable, blank: Int, band: Int? = nil
  ) throws -> [AlignedToken] {
    try table.values.withUnsafeBufferPointer {
      try CTCForcedAlignment(blank: blank, band: band).align(
        tokens,
        to: LogProbs($0.baseAddress!, frames: table.frames, vocabulary: table.vocabulary))
    }
  }

  /// Tokens in order, spans apart, scores those of the spans.
  private func check(
    _ found: [AlignedToken], _ tokens: [Int], _ table: ScoreTable, blank: Int
  ) {
    #expect(found.map(\.id) == tokens)
    for (before, after) in zip(found, found.dropFirst()) {
      let gap = after.frames.lowerBound - before.frames.upperBound
      #expect(gap >= (before.id == after.id ? 1 : 0))
    }
    for token in found {
      let logProbs = token.frames.map { Double(table[$0, token.id]) }
      #expect(!logProbs.isEmpty && abs(token.logProb - logProbs.reduce(0, +)) < 1e-9)
      let mean = logProbs.map { exp($0) }.reduce(0, +) / Double(logProbs.count)
      #expect(abs(token.posterior - mean) < 1e-9)
    }
  }

  /// Log-probability of the path: tokens in their spans, blank elsewhere.
  private func score(_ found: [AlignedToken], _ table: ScoreTable, blank: Int) -> Double {
    var total = found.reduce(0) { $0 + $1.logProb }
    let spoken = Set(found.flatMap(\.frames))
    for frame in 0..<table.frames where !spoken.contains(frame) {
      total += Double(table[frame, blank])
    }
    return total
  }

  /// The best of all paths that collapse to `tokens`; nil if there is none.
  private func bestPath(_ tokens: [Int], _ table: ScoreTable, blank: Int) -> Double? {
    var best: Double?
    var path = Array(repeating: 0, count: table.frames)
    func visit(_ frame: Int, _ score: Double) {
      guard frame < table.frames else {
        if collapse(path, blank: blank) == tokens { best = max(best ?? -.infinity, score) }
        return
      }
      for id in 0..<table.vocabulary {
        path[frame] = id
        visit(frame + 1, score + Double(table[frame, id]))
      }
    }
    visit(0, 0)
    return best
  }

  private func collapse(_ path: [Int], blank: Int) -> [Int] {
    var tokens: [Int] = []
    for (index, id) in path.enumerated() where id != blank {
      if index == 0 || path[index - 1] != id { tokens.append(id) }
    }
    return tokens
  }

  /// The textbook recursion over 2L + 1 states.
  private func viterbiScore(_ tokens: [Int], _ table: ScoreTable, blank: Int) -> Double {
    let states = [blank] + tokens.flatMap { [$0, blank] }
    var scores = Array(repeating: -Double.infinity, count: states.count)
    (scores[0], scores[1]) = (Double(table[0, blank]), Double(table[0, states[1]]))
    for frame in 1..<table.frames {
      scores = states.indices.map { state in
        var best = scores[state]
        if state > 0 { best = max(best, scores[state - 1]) }
        if state > 1, states[state] != blank, states[state] != states[state - 2] {
          best = max(best, scores[state - 2])
        }
        return best + Double(table[frame, states[state]])
      }
    }
    return max(scores[states.count - 1], scores[states.count - 2])
  }
}
