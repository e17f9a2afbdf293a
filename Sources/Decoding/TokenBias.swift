/// Adds to a search a score that depends on the tokens alone: hot words, an n-gram language model.
///
/// A state stands for all that the bias remembers of the tokens so far. It is a plain number (a node
/// of an automaton, two packed indices), so that searches can keep one per prefix at no cost.
public protocol TokenBias: Sendable {
  /// The state before the first token.
  var start: Int { get }

  /// - Returns: the state after `token`, and the score that the token earns, in nats.
  func step(_ state: Int, token: Int) -> (state: Int, score: Double)

  /// The score of ending the utterance in `state`, in nats: the refund of an unfinished phrase, the
  /// probability of the end of a sentence.
  func finish(_ state: Int) -> Double
}

extension TokenBias {
  public func finish(_ state: Int) -> Double { 0 }
}

/// A bias and how much it counts. A weight of 0 is as good as no bias: searches drop it.
public struct WeightedBias: Sendable {
  public var bias: any TokenBias
  public var weight: Double
  /// What its score is called in a list of hypotheses.
  public var name: String

  public init(_ bias: any TokenBias, weight: Double = 1, name: String = "bias") {
    self.bias = bias
    self.weight = weight
    self.name = name
  }
}

/// One nat for each token, so that its weight is the length bonus that offsets the cost of a
/// language model.
public struct TokenCountBias: TokenBias {
  public let start = 0

  public init() {}

  public func step(_ state: Int, token: Int) -> (state: Int, score: Double) { (0, 1) }
}

/// What a search remembers of all its biases for one prefix.
struct BiasTrail: Sendable {
  /// State of each bias.
  var states: [Int]
  /// Unweighted sum of scores of each bias.
  var scores: [Double]
  /// Weighted sum over all biases.
  var weighted: Double

  init(_ biases: [WeightedBias]) {
    states = biases.map(\.bias.start)
    scores = biases.map { _ in 0 }
    weighted = 0
  }

  /// The weighted sum after `token`, without taking it.
  func weighted(after token: Int, _ biases: [WeightedBias]) -> Double {
    var sum = weighted
    for (index, term) in biases.enumerated() {
      sum += term.weight * term.bias.step(states[index], token: token).score
    }
    return sum
  }

  mutating func advance(_ token: Int, _ biases: [WeightedBias]) {
    for (index, term) in biases.enumerated() {
      let (state, score) = term.bias.step(states[index], token: token)
      states[index] = state
      scores[index] += score
      weighted += term.weight * score
    }
  }

  mutating func finish(_ biases: [WeightedBias]) {
    for (index, term) in biases.enumerated() {
      let score = term.bias.finish(states[index])
      scores[index] += score
      weighted += term.weight * score
    }
  }
}
