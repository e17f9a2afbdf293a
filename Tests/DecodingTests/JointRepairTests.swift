import Decoding
import Foundation
import TestSupport
import Testing

/// What CTC is there for: decoders that repeat, skip, or never end.
@Suite struct JointRepairTests {
  /// CTC hears 0, 1, 2 in 18 frames. Class 3 is the blank, sos and eos.
  private let ctc = CTCProblem(
    spelling: [3, 3, 3, 0, 3, 3, 3, 3, 1, 3, 3, 3, 3, 2, 3, 3, 3, 3], classes: 4, blank: 3,
    sure: 0.9999
  ).scorer()

  private func best(_ attention: TableAttention, ctcWeight: Double) -> [Int] {
    JointSearch(.init(beamSize: 4, ctcWeight: ctcWeight)).search(attention, ctc: ctc)
      .hypotheses[0].tokens
  }

  @Test func repetitionIsRepaired() {
    // After "0 1 2" the decoder begins again and would end only after the second time.
    let looping = TableAttention.probabilities(vocabulary: 4) { prefix in
      var row = [0.01, 0.01, 0.01, 0.001]
      row[prefix.count == 6 ? 3 : prefix.count % 3] = 0.97
      return row
    }
    #expect(best(looping, ctcWeight: 0) == [0, 1, 2, 0, 1, 2])
    #expect(AttentionGreedy(maxLength: 18).search(looping).tokens == [0, 1, 2, 0, 1, 2])
    #expect(best(looping, ctcWeight: 0.3) == [0, 1, 2])
  }

  @Test func skippingIsRepaired() {
    // After "0" the decoder likes to go on with 2, after any 2 it ends.
    let skipping = TableAttention.probabilities(vocabulary: 4) { prefix in
      switch prefix.last {
      case nil: [0.9, 0.05, 0.04, 0.01]
      case 0: [0.02, 0.2, 0.75, 0.03]
      case 1: [0.02, 0.02, 0.95, 0.01]
      default: [0.01, 0.01, 0.01, 0.97]
      }
    }
    #expect(best(skipping, ctcWeight: 0) == [0, 2])
    #expect(best(skipping, ctcWeight: 0.3) == [0, 1, 2])
  }

  @Test func stoppingTooEarlyIsRepaired() {
    let hasty = TableAttention.probabilities(vocabulary: 4) { prefix in
      var row = [0.05, 0.05, 0.05, 0.7]
      if prefix.count < 3 { row[prefix.count] = 0.2 }
      return row
    }
    #expect(best(hasty, ctcWeight: 0) == [])
    #expect(best(hasty, ctcWeight: 0.3) == [0, 1, 2])
  }

  /// The decoder likes 0 for ever and gives eos little. Only end detection can stop it before 400
  /// tokens, because so many hypotheses are asked for that the search cannot be settled.
  @Test func endDetectionStopsALoopingDecoder() {
    var frames = [Int](repeating: 3, count: 400)
    (frames[100], frames[200], frames[300]) = (0, 1, 2)
    let ctc = CTCProblem(spelling: frames, classes: 4, blank: 3, sure: 0.9999).scorer()
    func run(_ ctcWeight: Double, maxLengthRatio: Double) -> JointResult {
      let endless = TableAttention.probabilities(vocabulary: 4) { _ in [0.5, 0.1, 0.1, 0.3] }
      return JointSearch(
        .init(
          beamSize: 4, ctcWeight: ctcWeight, maxLengthRatio: maxLengthRatio, nBest: 100_000)
      ).search(endless, ctc: ctc)
    }
    #expect(run(0, maxLengthRatio: 0).passes < 30)
    #expect(run(0.3, maxLengthRatio: 0).passes < 30)
    // A limit of the length switches end detection off. More than 200 times the same token, with
    // blanks between, do not go into 400 frames.
    #expect(run(0, maxLengthRatio: 1).passes == 401)
    #expect(run(0.3, maxLengthRatio: 1).passes > 200)
    #expect(run(0.3, maxLengthRatio: 0).hypotheses[0].tokens == [0, 1, 2])
  }

  /// A language model decides between what the others find alike, and weight 0 changes nothing.
  @Test func biasesCount() {
    struct Likes: TokenBias {
      let liked: Int
      let start = 0
      func step(_ state: Int, token: Int) -> (state: Int, score: Double) {
        (state + 1, token == liked ? 1 : 0)
      }
      func finish(_ state: Int) -> Double { Double(state) / 8 }
    }
    let ctc = CTCProblem(
      probabilities: [[0.45, 0.44, 0.01, 0.1], [0.01, 0.01, 0.01, 0.97]], blank: 3
    ).scorer()
    let attention = TableAttention.probabilities(vocabulary: 4) { prefix in
      prefix.isEmpty ? [0.45, 0.44, 0.01, 0.1] : [0.01, 0.01, 0.01, 0.97]
    }
    func search(_ biases: [WeightedBias]) -> [JointHypothesis] {
      JointSearch(.init(beamSize: 3), biases: biases).search(attention, ctc: ctc).hypotheses
    }
    #expect(search([])[0].tokens == [0])
    #expect(search([WeightedBias(Likes(liked: 1), weight: 0)]) == search([]))
    let biased = search([WeightedBias(Likes(liked: 1), weight: 2)])
    #expect(biased[0].tokens == [1] && biased[0].biasScores == [1.125])
    let plain = search([]).first { $0.tokens == [1] }!
    #expect(isClose(biased[0].total, plain.total + 2.25, 1e-9))
  }
}
