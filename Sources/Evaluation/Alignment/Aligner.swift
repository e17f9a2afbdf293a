/// Aligns pairs of token sequences; keeps its memory from one pair to the next.
///
/// Tokens are numbers from 0, as `TokenTable` gives them. Time is that of bit-parallel rows (Myers
/// 1999, Hyyrö 2003) within a band that is doubled until it holds the best path (Ukkonen 1985): for
/// N tokens and E errors about N · E / 32 steps. Memory is linear in N.
public struct Aligner {
  public let rule: AlignmentRule
  private var bits = BitParallelAligner()

  public init(rule: AlignmentRule = .levenshtein) { self.rule = rule }

  /// The steps from the first tokens to the last: with `n` reference and `m` hypothesis tokens,
  /// `n` steps that use the reference and `m` that use the hypothesis.
  public mutating func align(_ reference: [Int32], _ hypothesis: [Int32]) -> [EditOperation] {
    switch rule {
    case .levenshtein: bits.align(reference[...], hypothesis[...])
    case .sclite: WeightedAligner.sclite.align(reference[...], hypothesis[...])
    }
  }
}
