import Conformer
import Decoding
import Foundation
import Tensor

/// A decoder over one utterance as searches see it, written for reading: every prefix is read anew,
/// and the left decoder's heads are asked one by one and mixed in Double, `ln Σ wₖ pₖ`.
struct MixtureScorer: AttentionScorer {
  private let decoder: BidirectionalDecoder
  private let memory: BidirectionalMemory
  private let weights: [Float]
  private let scratch = ScratchArena()

  /// - Parameters:
  ///   - hidden: the encoder's outputs, [frames · d].
  ///   - weights: of the auxiliary heads; empty for the final head alone.
  init(_ model: ConformerModel, hidden: [Float], weights: [Float]) {
    let decoder = model.decoder!
    self.decoder = decoder
    self.weights = weights
    memory = hidden.withMatrix(columns: model.config.encoder.width) {
      decoder.makeMemory($0, usesRight: decoder.right != nil)
    }
  }

  var vocabulary: Int { decoder.left.vocabulary }
  var sos: Int { decoder.left.startEnd }
  var eos: Int { decoder.left.startEnd }
  var hasReverse: Bool { decoder.right != nil }

  /// A state is the tokens read.
  func initialState() -> [Int] { [] }

  func step(_ states: [[Int]], tokens: [Int]) -> (states: [[Int]], logProbs: [Float]) {
    let read = zip(states, tokens).map { $0 + ($1 == sos ? [] : [$1]) }
    return (read, logProbs(read, .left).flatMap { $0.suffix(vocabulary) })
  }

  func logProbs(_ sequences: [[Int]], _ direction: DecoderDirection) -> [[Float]] {
    sequences.map { tokens in
      guard direction == .left else {
        return rows(decoder.right!, tokens.reversed(), memory.right!, weights: [])
      }
      let final = rows(decoder.left, tokens, memory.left, weights: [])
      guard !weights.isEmpty else { return final }
      let heads = weights.indices.map { head in
        rows(
          decoder.left, tokens, memory.left, weights: weights.indices.map { $0 == head ? 1 : 0 })
      }
      let rest = 1 - weights.reduce(0) { $0 + Double($1) }
      return final.indices.map { index in
        let mixed = zip(weights, heads).reduce(rest * exp(Double(final[index]))) {
          $0 + Double($1.0) * exp(Double($1.1[index]))
        }
        return Float(log(mixed))
      }
    }
  }

  private func rows(
    _ side: AttentionDecoder, _ tokens: [Int], _ memory: CrossAttentionMemory, weights: [Float]
  ) -> [Float] {
    var run = DecoderRun()
    run.auxiliaryWeights = weights
    var rows: [Float] = []
    side.logProbs(
      PrefixTree([TokenSequence(tokens)], start: sos), memory: memory, run: run, scratch: scratch
    ) { rows += $1.values }
    return rows
  }
}
