/// Which words were taken for which, lost and made up, the most frequent first.
public struct Confusions: Sendable {
  public struct Pair: Equatable, Sendable {
    public let reference: String
    public let hypothesis: String
    public let count: Int
  }

  public struct Entry: Equatable, Sendable {
    public let word: String
    public let count: Int
  }

  /// A word of the references and how it fared.
  public struct WordErrors: Equatable, Sendable {
    public let word: String
    /// How often the references have it.
    public let count: Int
    /// How often it was deleted or substituted.
    public let errors: Int
  }

  public let substitutions: [Pair]
  public let deletions: [Entry]
  public let insertions: [Entry]
  /// Words that were missed at least once, those missed most often first.
  public let missedWords: [WordErrors]

  public init(_ score: SystemScore) {
    var tally = Tally()
    for utterance in score.utterances { tally.add(utterance) }
    let tokens = score.tokens
    func sorted(_ counts: [Int32: Int]) -> [Entry] {
      counts.map { Entry(word: tokens[$0.key], count: $0.value) }
        .sorted { ($1.count, $0.word) < ($0.count, $1.word) }
    }
    substitutions =
      tally.pairs.map {
        Pair(
          reference: tokens[$0.key.reference], hypothesis: tokens[$0.key.hypothesis],
          count: $0.value)
      }.sorted {
        ($1.count, $0.reference, $0.hypothesis) < ($0.count, $1.reference, $1.hypothesis)
      }
    (deletions, insertions) = (sorted(tally.deleted), sorted(tally.inserted))
    missedWords =
      tally.missed.map { word, errors in
        WordErrors(word: tokens[word], count: tally.said[word, default: 0], errors: errors)
      }.sorted { ($1.errors, $0.word) < ($0.errors, $1.word) }
  }

  /// Counts by the numbers of words.
  private struct Tally {
    struct Key: Hashable {
      let reference: Int32
      let hypothesis: Int32
    }

    var pairs: [Key: Int] = [:]
    var deleted: [Int32: Int] = [:]
    var inserted: [Int32: Int] = [:]
    var missed: [Int32: Int] = [:]
    var said: [Int32: Int] = [:]

    mutating func add(_ utterance: ScoredUtterance) {
      for word in utterance.referenceWords { said[word, default: 0] += 1 }
      var (r, h) = (0, 0)
      for operation in utterance.operations {
        switch operation {
        case .match: break
        case .substitution:
          let (word, other) = (utterance.referenceWords[r], utterance.hypothesisWords[h])
          pairs[Key(reference: word, hypothesis: other), default: 0] += 1
          missed[word, default: 0] += 1
        case .deletion:
          deleted[utterance.referenceWords[r], default: 0] += 1
          missed[utterance.referenceWords[r], default: 0] += 1
        case .insertion: inserted[utterance.hypothesisWords[h], default: 0] += 1
        }
        if operation.usesReference { r += 1 }
        if operation.usesHypothesis { h += 1 }
      }
    }
  }
}
