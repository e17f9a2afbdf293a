import Audio
import TestSupport
import Testing

struct SpeechGateTests {
  private let rule = SpeechGateRule(
    startProbability: 0.5, endProbability: 0.35, endSilence: 300, preRoll: 150)

  private func events(_ probabilities: [Float], _ rule: SpeechGateRule) -> [SpeechGate.Event] {
    var gate = SpeechGate(rule)
    let events = probabilities.compactMap { gate.advance($0, samples: 100) }
    return events + [gate.finish()].compactMap { $0 }
  }

  @Test func startsWithPreRollAndEndsAfterSilence() {
    let found = events([0, 0.4, 0.1, 0.5, 0.9, 0.34, 0.1, 0.1, 0.1, 0.4, 0.1], rule)
    #expect(found == [.speechStarted(from: 150), .speechEnded(lastSound: 500, at: 800)])
  }

  @Test func startOfTheSignalLimitsThePreRoll() {
    #expect(events([0.1, 0.6], rule).first == .speechStarted(from: 0))
    #expect(
      events([0.6], rule) == [.speechStarted(from: 0), .speechEnded(lastSound: 100, at: 100)])
  }

  @Test func probabilitiesBetweenTheThresholdsKeepSpeechOpen() {
    let found = events([0.6, 0.1, 0.1, 0.35, 0.1, 0.1, 0.49, 0.1, 0.1, 0.1, 0.45], rule)
    #expect(found == [.speechStarted(from: 0), .speechEnded(lastSound: 700, at: 1_000)])
  }

  @Test func preRollDoesNotReachIntoTheSpanBefore() {
    let found = events([0.6, 0.1, 0.1, 0.1, 0.9, 0.2, 0.2, 0.2], rule)
    #expect(
      found == [
        .speechStarted(from: 0), .speechEnded(lastSound: 100, at: 400),
        .speechStarted(from: 400), .speechEnded(lastSound: 500, at: 800),
      ])
  }

  @Test func noSilenceNeededEndsAtOnce() {
    let found = events(
      [0.9, 0.9, 0.2, 0.9], SpeechGateRule(endSilence: 0, preRoll: 0))
    #expect(
      found == [
        .speechStarted(from: 0), .speechEnded(lastSound: 200, at: 300),
        .speechStarted(from: 300), .speechEnded(lastSound: 400, at: 400),
      ])
  }

  /// On random probabilities: spans do not overlap, loud steps are inside of spans, and nothing
  /// older than `earliestStart` is ever asked for.
  @Test(arguments: 0..<20)
  func spansCoverAllLoudSteps(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed))
    var gate = SpeechGate(rule)
    var (inside, last) = (false, 0)
    for step in 0..<500 {
      // Slow enough for silences to last.
      let loud = (step / 7) % 3 == Int.random(in: 0..<3, using: &generator)
      let probability = loud ? Float.random(in: 0..<1, using: &generator) : 0.1
      let kept = gate.earliestStart
      switch gate.advance(probability, samples: 100) {
      case .speechStarted(let from)?:
        #expect(!inside && from >= last && from >= kept && from <= step * 100)
        (inside, last) = (true, from)
      case .speechEnded(let lastSound, let at)?:
        #expect(inside && lastSound > last && lastSound < at && at == gate.position)
        (inside, last) = (false, at)
      case nil: break
      }
      #expect(inside == gate.isOpen && (inside || probability < 0.5))
    }
    #expect((gate.finish() == nil) == !inside && !gate.isOpen)
  }
}
