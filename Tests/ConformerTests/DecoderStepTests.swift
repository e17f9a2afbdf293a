import Conformer
import Tensor
import TestSupport
import Testing

/// `AttentionDecoder.step` against the whole form.
struct DecoderStepTests {
  private let scratch = ScratchArena()

  /// Log-probabilities after one more token of each hypothesis. [hypotheses][vocabulary]
  private func step(
    _ decoder: AttentionDecoder, _ tokens: [Int], _ state: inout DecoderState,
    _ memory: CrossAttentionMemory
  ) -> [[Float]] {
    scratch.scope {
      let result = scratch.matrix(rows: tokens.count, columns: decoder.vocabulary)
      decoder.step(tokens, state: &state, memory: memory, into: result, scratch: scratch)
      return tokens.indices.map { result.rows($0..<$0 + 1).values }
    }
  }

  private func followUps(
    _ decoder: AttentionDecoder, _ sequence: TokenSequence, _ memory: CrossAttentionMemory
  ) -> [Float] {
    var last: [Float] = []
    decoder.logProbs(
      PrefixTree([sequence], start: decoder.startEnd), memory: memory, scratch: scratch
    ) { last = $1.rows($1.rows - 1..<$1.rows).values }
    return last
  }

  /// A search that forks, drops and swaps hypotheses at random, of two utterances at once: after
  /// every step each hypothesis has the log-probabilities of the whole form.
  @Test(arguments: [UInt64(1), 2, 3, 4])
  func forkedStepsEqualTheWhole(seed: UInt64) throws {
    let tiny = try TinyDecoder(seed: seed)
    let decoder = tiny.decoder.left
    var generator = SeededGenerator(seed: seed)
    let memory = tiny.frames(60, seed: seed).withMatrix(columns: decoder.width) {
      decoder.makeMemory($0, utterances: [0..<25, 25..<60])
    }
    var state = decoder.makeState(utterances: [0, 1], maximumLength: 12)
    var hypotheses = [TokenSequence([], utterance: 0), TokenSequence([], utterance: 1)]
    for length in 0..<12 {
      let tokens = hypotheses.map { $0.tokens.last ?? decoder.startEnd }
      let result = step(decoder, tokens, &state, memory)
      for (index, hypothesis) in hypotheses.enumerated() {
        #expect(state.length(index) == length + 1)
        let expected = followUps(decoder, hypothesis, memory)
        #expect(largestDifference(result[index], expected) < 1e-4)
      }
      let parents = (0..<Int.random(in: 1...6, using: &generator)).map { _ in
        hypotheses.indices.randomElement(using: &generator)!
      }
      state.reorder(parents)
      hypotheses = parents.map { parent in
        var child = hypotheses[parent]
        child.tokens.append(Int.random(in: 0..<decoder.startEnd, using: &generator))
        return child
      }
      #expect(state.utterances == hypotheses.map(\.utterance))
    }
    #expect(state.byteCount < 12 * 6 * (decoder.layerCount * 2 * decoder.width + 12) * 2 * 4)
  }

  /// A copy of a state goes its own way.
  @Test func statesAreValues() throws {
    let tiny = try TinyDecoder(seed: 5)
    let decoder = tiny.decoder.left
    let memory = tiny.frames(30, seed: 5).withMatrix(columns: decoder.width) {
      decoder.makeMemory($0)
    }
    var one = decoder.makeState(utterances: [0], maximumLength: 300)
    _ = step(decoder, [decoder.startEnd], &one, memory)
    var other = one
    let three = step(decoder, [3], &one, memory)[0]
    let four = step(decoder, [4], &other, memory)[0]
    #expect(largestDifference(three, followUps(decoder, TokenSequence([3]), memory)) < 1e-4)
    #expect(largestDifference(four, followUps(decoder, TokenSequence([4]), memory)) < 1e-4)
    // Beyond the table of positions.
    let tail = (0..<290).map { $0 % 16 }
    var last: [Float] = []
    for token in tail { last = step(decoder, [token], &one, memory)[0] }
    #expect(
      largestDifference(last, followUps(decoder, TokenSequence([3] + tail), memory)) < 1e-4)
  }
}
