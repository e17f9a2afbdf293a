import Conformer
import Foundation
import Tensor
import TestSupport
import Testing

/// The attention decoder with small random weights, against a plain Double version of it and
/// against itself: whole and step by step, together and alone.
struct AttentionDecoderTests {
  private let scratch = ScratchArena()

  private func wholeLogProbs(
    _ decoder: AttentionDecoder, _ sequences: [TokenSequence], _ memory: CrossAttentionMemory,
    run: DecoderRun = DecoderRun()
  ) -> [[[Float]]] {
    let tree = PrefixTree(sequences, start: decoder.startEnd)
    var rows: [[Float]] = []
    decoder.logProbs(tree, memory: memory, run: run, scratch: scratch) { first, logProbs in
      #expect(first == rows.count)
      for row in 0..<logProbs.rows { rows.append(logProbs.rows(row..<row + 1).values) }
    }
    return tree.rows.map { $0.map { rows[$0] } }
  }

  private func matrix(_ values: [Float], _ width: Int) -> [[Double]] {
    stride(from: 0, to: values.count, by: width).map { values[$0..<$0 + width].map(Double.init) }
  }

  @Test(arguments: zip([UInt64(1), 2, 3, 12, 13], [nil, nil, nil, 8, 5]))
  func equalsTheNaiveDecoder(seed: UInt64, positionWidth: Int?) throws {
    let tiny = try TinyDecoder(seed: seed, positionWidth: positionWidth)
    let frames = tiny.frames(70, seed: seed + 10)
    let hypotheses = tiny.hypotheses([9, 0, 9, 14, 1], seed: seed)
    for (side, decoder) in [("left", tiny.decoder.left), ("right", tiny.decoder.right!)] {
      let naive = NaiveDecoder(
        config: tiny.config, side: side, layers: decoder.layerCount, weights: tiny.weights)
      let memory = frames.withMatrix(columns: decoder.width) { decoder.makeMemory($0) }
      let found = wholeLogProbs(decoder, hypotheses, memory)
      let targets = decoder.targetLogProbs(hypotheses, memory: memory, scratch: scratch)
      for (index, hypothesis) in hypotheses.enumerated() {
        let expected = naive.run(hypothesis.tokens, frames: matrix(frames, decoder.width)).logProbs
        #expect(
          largestDifference(found[index].flatMap { $0 }, expected.flatMap { $0.map { Float($0) } })
            < 1e-4)
        let ids = hypothesis.tokens + [decoder.startEnd]
        let wanted = ids.indices.map { Float(expected[$0][ids[$0]]) }
        #expect(largestDifference(targets[index], wanted) < 1e-4)
      }
    }
  }

  @Test func scoresAreInTheOrderOfTheTextAndTheRightIsOptional() throws {
    let tiny = try TinyDecoder(seed: 4)
    let hypotheses = tiny.hypotheses([5, 0, 7], seed: 4)
    let frames = tiny.frames(20, seed: 5)
    let (both, left) = frames.withMatrix(columns: tiny.config.width) {
      (
        tiny.decoder.makeMemory($0, usesRight: true), tiny.decoder.makeMemory($0, usesRight: false)
      )
    }
    let scores = tiny.decoder.score(hypotheses, memory: both, scratch: scratch)
    let leftScores = tiny.decoder.score(hypotheses, memory: left, scratch: scratch)
    let naive = NaiveDecoder(
      config: tiny.config, side: "right", layers: tiny.config.rightLayers, weights: tiny.weights)
    for (index, hypothesis) in hypotheses.enumerated() {
      let reversed = Array(hypothesis.tokens.reversed())
      let expected = naive.run(reversed, frames: matrix(frames, tiny.config.width)).logProbs
      for (position, token) in hypothesis.tokens.enumerated() {
        let value = Float(expected[reversed.count - 1 - position][token])
        #expect(abs(scores[index].right![position] - value) < 1e-4)
      }
      #expect(
        abs(scores[index].right!.last! - Float(expected.last![tiny.config.startEnd])) < 1e-4)
      #expect(scores[index].left == leftScores[index].left)
      #expect(leftScores[index].right == nil && leftScores[index].rightTotal == nil)
    }
  }

  @Test func severalUtterancesTogetherEqualEachAlone() throws {
    let tiny = try TinyDecoder(seed: 6, positionWidth: 6)
    let width = tiny.config.width
    let lengths = [33, 1, 0, 150]
    let parts = lengths.enumerated().map { tiny.frames($1, seed: UInt64($0)) }
    var ranges: [Range<Int>] = []
    for length in lengths {
      ranges.append((ranges.last?.upperBound ?? 0)..<(ranges.last?.upperBound ?? 0) + length)
    }
    // Interleaved, and with equal texts in different utterances.
    var hypotheses: [TokenSequence] = []
    for index in 0..<3 {
      for utterance in lengths.indices {
        hypotheses.append(
          tiny.hypotheses([8 + index], utterance: utterance, seed: UInt64(index))[0])
      }
    }
    let all = parts.flatMap { $0 }.withMatrix(columns: width) {
      tiny.decoder.makeMemory($0, utterances: ranges, usesRight: true)
    }
    let together = tiny.decoder.score(hypotheses, memory: all, scratch: scratch)
    for (index, hypothesis) in hypotheses.enumerated() {
      let frames = parts[hypothesis.utterance]
      // An empty array has no address to make a matrix of.
      let alone = (frames + [Float](repeating: 0, count: width)).withMatrix(columns: width) {
        tiny.decoder.makeMemory($0.rows(0..<frames.count / width), usesRight: true)
      }
      let score = tiny.decoder.score(
        [TokenSequence(hypothesis.tokens)], memory: alone, scratch: scratch)[0]
      #expect(largestDifference(together[index].left, score.left) < 1e-4)
      #expect(largestDifference(together[index].right!, score.right!) < 1e-4)
    }
  }

  @Test func prefixesShareRows() {
    let tree = PrefixTree(
      [
        TokenSequence([1, 2, 3]), TokenSequence([1, 2, 4]), TokenSequence([], utterance: 1),
        TokenSequence([1], utterance: 1), TokenSequence([1, 2]),
      ], start: 9)
    #expect(tree.count == 7)
    #expect(tree.rows == [[0, 1, 2, 3], [0, 1, 2, 4], [5], [5, 6], [0, 1, 2]])
  }

  @Test func auxiliaryHeadsMixOnlyWhenAsked() throws {
    let tiny = try TinyDecoder(seed: 7, auxiliaryHeads: [1, 0])
    let decoder = tiny.decoder.left
    #expect(decoder.auxiliaryLayers == [1, 0])
    let frames = tiny.frames(20, seed: 8)
    let memory = frames.withMatrix(columns: decoder.width) { decoder.makeMemory($0) }
    let hypothesis = tiny.hypotheses([6], seed: 8)
    let naive = NaiveDecoder(
      config: tiny.config, side: "left", layers: 3, weights: tiny.weights
    ).run(hypothesis[0].tokens, frames: matrix(frames, decoder.width))
    let plain = wholeLogProbs(decoder, hypothesis, memory)[0]
    #expect(
      largestDifference(
        plain.flatMap { $0 }, naive.logProbs.flatMap { $0.map { Float($0) } }) < 1e-4)

    var run = DecoderRun()
    run.auxiliaryWeights = [0.2, 0.1]
    let mixed = wholeLogProbs(decoder, hypothesis, memory, run: run)[0]
    var state = decoder.makeState(utterances: [0], maximumLength: 7)
    let logProbs = FloatStorage(count: decoder.vocabulary)
    for (row, token) in ([decoder.startEnd] + hypothesis[0].tokens).enumerated() {
      decoder.step(
        [token], state: &state, memory: memory, run: run,
        into: logProbs.view(columns: decoder.vocabulary), scratch: scratch)
      // The naive version lists heads by layer.
      let expected = naive.logProbs[row].indices.map {
        Float(
          log(
            0.7 * exp(naive.logProbs[row][$0]) + 0.2 * exp(naive.auxiliary[1][row][$0])
              + 0.1 * exp(naive.auxiliary[0][row][$0])))
      }
      #expect(largestDifference(mixed[row], expected) < 1e-4)
      #expect(largestDifference(logProbs.values, expected) < 1e-4)
    }
  }

  /// An early exit after a layer is a decoder that has no layers after it.
  @Test func earlyExitsEqualShorterDecoders() throws {
    let tiny = try TinyDecoder(seed: 11)
    let decoder = tiny.decoder.left
    let frames = tiny.frames(30, seed: 12)
    let memory = frames.withMatrix(columns: decoder.width) { decoder.makeMemory($0) }
    // Longer than one tile of rows.
    let hypothesis = tiny.hypotheses([90], seed: 12)
    final class Exits { var layers: [[Float]] = [[], [], []] }
    let exits = Exits()
    decoder.layerLogProbs(
      PrefixTree(hypothesis, start: decoder.startEnd), memory: memory, scratch: scratch
    ) { layer, first, logProbs in
      #expect(exits.layers[layer].count == first * decoder.vocabulary)
      exits.layers[layer] += logProbs.values
    }
    for (layer, found) in exits.layers.enumerated() {
      let naive = NaiveDecoder(
        config: tiny.config, side: "left", layers: layer + 1, weights: tiny.weights
      ).run(hypothesis[0].tokens, frames: matrix(frames, decoder.width))
      #expect(
        largestDifference(found, naive.logProbs.flatMap { $0.map { Float($0) } }) < 1e-4)
    }
    #expect(exits.layers[2] == wholeLogProbs(decoder, hypothesis, memory)[0].flatMap { $0 })
  }

  @Test func crossAttentionWeightsAndHiddenStates() throws {
    let tiny = try TinyDecoder(seed: 9)
    let decoder = tiny.decoder.left
    let frames = tiny.frames(21, seed: 9)
    let memory = frames.withMatrix(columns: decoder.width) { decoder.makeMemory($0) }
    // Longer than one tile of queries.
    let hypothesis = tiny.hypotheses([70], seed: 9)
    let naive = NaiveDecoder(config: tiny.config, side: "left", layers: 3, weights: tiny.weights)
      .run(hypothesis[0].tokens, frames: matrix(frames, decoder.width))
    var heads = [[Float]](repeating: [], count: tiny.config.heads)
    var hidden: [Int] = []
    var run = DecoderRun()
    run.crossAttention = CrossAttentionProbe(layer: 1) { probe in
      #expect(probe.utterance == 0 && probe.rows.lowerBound == heads[probe.head].count / 21)
      heads[probe.head] += probe.weights.values
    }
    run.afterLayer = { layer, x in hidden.append(layer * 1000 + x.rows) }
    _ = decoder.targetLogProbs(hypothesis, memory: memory, run: run, scratch: scratch)
    for (head, weights) in heads.enumerated() {
      let expected = naive.cross[1][head].flatMap { $0.map { Float($0) } }
      #expect(largestDifference(weights, expected) < 1e-5)
    }
    #expect(hidden == [71, 1071, 2071])
  }

  @Test func missingTensorIsNamed() throws {
    let name = "decoder.right.layers.1.src_attn.linear_v.bias"
    do {
      _ = try TinyDecoder(seed: 1, leavingOut: name)
      Issue.record("a decoder without \(name) was loaded")
    } catch let error as WeightError {
      guard case .missing(_, name, [12]) = error else { throw error }
    }
    #expect(try TinyDecoder(seed: 1, rightLayers: 0).decoder.right == nil)
  }
}
