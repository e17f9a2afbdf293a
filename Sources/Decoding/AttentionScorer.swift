/// Which way an attention decoder reads.
public enum DecoderDirection: Sendable, CaseIterable {
  /// Left to right.
  case left
  /// Right to left: the last token first (the reverse decoder of U2++).
  case right
}

/// An attention decoder with the encoder's output of one utterance, as searches see it.
///
/// Sequences never hold sos or eos: the decoder adds them. All log-probabilities are in nats.
public protocol AttentionScorer {
  /// What the decoder remembers of one left-to-right prefix, such as its key/value cache. Searches
  /// copy states freely and drop them.
  associatedtype State

  /// Classes of the decoder, sos and eos included; the tokens have the CTC head's numbers.
  var vocabulary: Int { get }
  /// Starts every sequence; may be the same class as `eos`.
  var sos: Int { get }
  var eos: Int { get }
  /// Whether `.right` may be asked for.
  var hasReverse: Bool { get }

  /// The state before sos.
  func initialState() -> State

  /// Reads one more token of each of a batch of prefixes; the first token of a prefix is `sos`.
  ///
  /// - Returns: the states after the tokens, and the log-probabilities of what comes next.
  ///   [batch, vocabulary]
  func step(_ states: [State], tokens: [Int]) -> (states: [State], logProbs: [Float])

  /// Reads whole sequences in one parallel pass.
  ///
  /// - Returns: for each sequence y of n tokens, [n + 1, vocabulary]: row j holds the
  ///   log-probabilities of what follows the first j tokens in the direction of reading.
  func logProbs(_ sequences: [[Int]], _ direction: DecoderDirection) -> [[Float]]

  /// The log-probabilities of the tokens of whole sequences, in one parallel pass.
  ///
  /// - Returns: for each sequence y of n tokens, n + 1 values: that of y_j at place j whichever the
  ///   direction, and at last that of eos.
  func score(_ sequences: [[Int]], _ direction: DecoderDirection) -> [[Float]]
}

extension AttentionScorer {
  public var hasReverse: Bool { false }

  public func score(_ sequences: [[Int]], _ direction: DecoderDirection) -> [[Float]] {
    zip(sequences, logProbs(sequences, direction)).map { sequence, rows in
      let read = direction == .left ? sequence : sequence.reversed()
      let scores = read.enumerated().map { rows[$0 * vocabulary + $1] }
      return (direction == .left ? scores : scores.reversed())
        + [rows[sequence.count * vocabulary + eos]]
    }
  }

  /// The most probable class of one row of log-probabilities that can come next: a token or eos.
  func best(_ row: ArraySlice<Float>) -> (id: Int, logProb: Float) {
    let excluded = sos == eos ? -1 : row.startIndex + sos
    var best = row.startIndex == excluded ? row.startIndex + 1 : row.startIndex
    for index in row.indices where row[index] > row[best] && index != excluded { best = index }
    return (best - row.startIndex, row[best])
  }
}
