import Decoding
import Foundation
import TestSupport
import Testing

@Suite struct StreamingCTCPrefixScorerTests {
  private func expectEqual(
    _ streaming: StreamingCTCPrefixScorer, _ nodes: [[Int]: Int], _ whole: CTCPrefixScorer,
    _ labels: [Int]
  ) {
    for (tokens, node) in nodes {
      let state = tokens.reduce(whole.empty) { whole.extend($0, by: $1) }
      #expect(streaming.tokens(of: node) == tokens)
      #expect(isClose(streaming.score(node), whole.score(state), 1e-9))
      #expect(isClose(streaming.endScore(node), whole.endScore(state), 1e-9))
      for (a, b) in zip(
        streaming.scores(of: labels, after: node), whole.scores(of: labels, after: state))
      {
        #expect(isClose(a, b, 1e-9))
      }
    }
  }

  /// Every chunking, with prefixes that join before the first frame, between any two portions, and
  /// after the last.
  @Test func equalsWholeForEveryChunking() {
    var generator = SeededGenerator(seed: 1)
    for round in 0..<6 {
      let problem = CTCProblem(
        frames: 6, classes: 3 + round % 2, blank: round % 3, withZeros: round % 3 == 2,
        &generator)
      let whole = problem.scorer()
      for portions in problem.allPortions() {
        var streaming = StreamingCTCPrefixScorer(
          vocabulary: problem.classes, blank: problem.blank)
        var nodes: [[Int]: Int] = [[]: StreamingCTCPrefixScorer.root]
        for portion in portions {
          grow(&streaming, &nodes, problem, &generator)
          problem.withLogProbs(portion) { streaming.accept($0) }
        }
        grow(&streaming, &nodes, problem, &generator)
        #expect(streaming.frames == 6 && streaming.count == nodes.count)
        expectEqual(streaming, nodes, whole, problem.labels)
      }
    }
  }

  /// Adds a few random prefixes of up to four tokens with all that they begin with.
  private func grow(
    _ streaming: inout StreamingCTCPrefixScorer, _ nodes: inout [[Int]: Int],
    _ problem: CTCProblem, _ generator: inout SeededGenerator
  ) {
    for _ in 0..<2 {
      var (tokens, node): ([Int], Int) = ([], StreamingCTCPrefixScorer.root)
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let token = problem.labels.randomElement(using: &generator)!
        node = streaming.extend(node, by: token)
        tokens.append(token)
        nodes[tokens] = node
      }
    }
  }

  @Test func equalsWholeOfTheFramesSoFar() {
    var generator = SeededGenerator(seed: 2)
    let problem = CTCProblem(frames: 150, classes: 5, blank: 4, sharpness: 3, &generator)
    var streaming = StreamingCTCPrefixScorer(vocabulary: 5, blank: 4)
    var nodes: [[Int]: Int] = [[]: StreamingCTCPrefixScorer.root]
    for start in stride(from: 0, to: 150, by: 30) {
      grow(&streaming, &nodes, problem, &generator)
      problem.withLogProbs(start..<start + 30) { streaming.accept($0) }
      let whole = problem.withLogProbs(0..<start + 30) { CTCPrefixScorer($0, blank: 4) }
      expectEqual(streaming, nodes, whole, problem.labels)
    }
  }

  @Test func droppedPrefixesLeaveTheOthersAlone() {
    var generator = SeededGenerator(seed: 3)
    let problem = CTCProblem(frames: 12, classes: 4, blank: 0, &generator)
    var streaming = StreamingCTCPrefixScorer(vocabulary: 4, blank: 0)
    problem.withLogProbs(0..<5) { streaming.accept($0) }
    var nodes: [[Int]: Int] = [:]
    for tokens in problem.prefixes(upTo: 3) {
      nodes[tokens] = tokens.reduce(StreamingCTCPrefixScorer.root) {
        streaming.extend($0, by: $1)
      }
    }
    let kept = [[1, 2, 3], [2], [1, 1]]
    let renumbered = streaming.keep(only: kept.map { nodes[$0]! })
    #expect(streaming.count == 6)  // (), 1, 12, 123, 2, 11
    problem.withLogProbs(5..<12) { streaming.accept($0) }
    var left = Dictionary(uniqueKeysWithValues: zip(kept, renumbered))
    left[[1, 2]] = streaming.extend(
      streaming.extend(StreamingCTCPrefixScorer.root, by: 1), by: 2)
    #expect(streaming.count == 6)
    left[[2, 3]] = streaming.extend(left[[2]]!, by: 3)
    #expect(streaming.count == 7)
    expectEqual(streaming, left, problem.scorer(), problem.labels)
  }
}
