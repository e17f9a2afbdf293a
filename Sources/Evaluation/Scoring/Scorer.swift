/// Normalises, aligns and counts; keeps one table of words for all systems that it scores.
public struct Scorer {
  public let normalizer: TextNormalizer
  public private(set) var tokens = TokenTable()
  private var aligner: Aligner
  // Characters are far more, and sclite's costs only matter for words.
  private var characterAligner = Aligner(rule: .levenshtein)

  public init(normalizer: TextNormalizer = .none, rule: AlignmentRule = .levenshtein) {
    self.normalizer = normalizer
    aligner = Aligner(rule: rule)
  }

  public mutating func score(_ pairing: UtterancePairing, name: String) -> SystemScore {
    let utterances = pairing.pairs.map { score($0.reference, $0.hypothesis) }
    return SystemScore(
      name: name, utterances: utterances, tokens: tokens, remarks: pairing.remarks)
  }

  /// - Parameter hypothesis: nil if there is none, which counts as an empty one.
  public mutating func score(_ reference: Utterance, _ hypothesis: String?) -> ScoredUtterance {
    let expected = normalizer.tokens(reference.text)
    let found = normalizer.tokens(hypothesis ?? "")
    let referenceWords = expected.map { tokens.number($0) }
    let hypothesisWords = found.map { tokens.number($0) }
    let operations = aligner.align(referenceWords, hypothesisWords)
    return ScoredUtterance(
      reference: reference, hypothesis: hypothesis, referenceWords: referenceWords,
      hypothesisWords: hypothesisWords, operations: operations, words: ErrorCounts(operations),
      characters: characters(expected, found))
  }

  /// Code points, with a space between words, as jiwer counts.
  private mutating func characters(_ expected: [String], _ found: [String]) -> ErrorCounts {
    let separator = normalizer.separatesByCharacter ? "" : " "
    func numbers(_ words: [String]) -> [Int32] {
      words.joined(separator: separator).unicodeScalars.map { Int32($0.value) }
    }
    return ErrorCounts(characterAligner.align(numbers(expected), numbers(found)))
  }
}
