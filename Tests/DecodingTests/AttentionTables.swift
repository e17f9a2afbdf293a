import Decoding
import Foundation
import TestSupport

/// An attention decoder made of a rule: what may follow a prefix. Counts its runs.
final class TableAttention: AttentionScorer {
  /// Reads the tokens so far, sos left out.
  typealias Rule = (_ prefix: [Int]) -> [Float]

  let vocabulary: Int
  let sos: Int
  let eos: Int
  private let left: Rule
  private let right: Rule?
  private(set) var steps = 0
  /// Sequences of each whole pass, by direction.
  private(set) var batches: [DecoderDirection: [Int]] = [:]

  init(vocabulary: Int, sos: Int? = nil, eos: Int, left: @escaping Rule, right: Rule? = nil) {
    (self.vocabulary, self.eos, self.left, self.right) = (vocabulary, eos, left, right)
    self.sos = sos ?? eos
  }

  /// Random log-probabilities that depend on the last `order` tokens; the last class is sos and
  /// eos.
  static func random(
    vocabulary: Int, order: Int = .max, sharpness: Float = 2, eosBonus: Float = 0, seed: UInt64
  ) -> TableAttention {
    func rule(_ seed: UInt64) -> Rule {
      return { prefix in
        var hash = seed
        for token in prefix.suffix(min(order, prefix.count)) {
          hash = (hash ^ UInt64(token + 1)) &* 0x100_0000_01B3
        }
        var generator = SeededGenerator(seed: hash)
        var scores = (0..<vocabulary).map { _ in generator.normal(sharpness) }
        scores[vocabulary - 1] += eosBonus
        return logSoftmax(scores)
      }
    }
    return TableAttention(
      vocabulary: vocabulary, eos: vocabulary - 1, left: rule(seed), right: rule(seed + 1))
  }

  /// Probabilities given by a rule.
  static func probabilities(
    vocabulary: Int, _ rule: @escaping ([Int]) -> [Double]
  ) -> TableAttention {
    TableAttention(
      vocabulary: vocabulary, eos: vocabulary - 1, left: { rule($0).map { Float(log($0)) } })
  }

  var hasReverse: Bool { right != nil }

  func initialState() -> [Int] { [] }

  func step(_ states: [[Int]], tokens: [Int]) -> (states: [[Int]], logProbs: [Float]) {
    precondition(states.count == tokens.count && !states.isEmpty)
    steps += 1
    let next = zip(states, tokens).map { state, token in
      precondition(!state.isEmpty || token == sos, "a sequence starts with sos")
      return state + [token]
    }
    return (next, next.flatMap { left(Array($0.dropFirst())) })
  }

  func logProbs(_ sequences: [[Int]], _ direction: DecoderDirection) -> [[Float]] {
    batches[direction, default: []].append(sequences.count)
    let rule = direction == .left ? left : right!
    return sequences.map { sequence in
      let read = direction == .left ? sequence : sequence.reversed()
      return (0...read.count).flatMap { rule(Array(read.prefix($0))) }
    }
  }

  /// ln p of one token of a text.
  func logProb(of place: Int, in tokens: [Int], _ direction: DecoderDirection) -> Double {
    let read = direction == .left ? tokens[..<place] : tokens[(place + 1)...]
    let row = (direction == .left ? left : right!)(
      direction == .left ? Array(read) : read.reversed())
    return Double(row[tokens[place]])
  }

  /// ln p of a whole text, eos included, term by term.
  func logProb(_ tokens: [Int], _ direction: DecoderDirection = .left) -> Double {
    let read = (direction == .left ? tokens : tokens.reversed()) + [eos]
    return read.indices.reduce(0) { sum, index in
      let row = (direction == .left ? left : right!)(Array(read[..<index]))
      return sum + Double(row[read[index]])
    }
  }
}

func logSoftmax(_ scores: [Float]) -> [Float] {
  let total = log(scores.reduce(0) { $0 + exp($1) })
  return scores.map { $0 - total }
}
