/// Hits and errors of an alignment, or of many together.
public struct ErrorCounts: Equatable, Sendable {
  public var hits = 0
  public var substitutions = 0
  public var deletions = 0
  public var insertions = 0

  public init() {}

  public init(_ operations: [EditOperation]) {
    for operation in operations {
      switch operation {
      case .match: hits += 1
      case .substitution: substitutions += 1
      case .deletion: deletions += 1
      case .insertion: insertions += 1
      }
    }
  }

  public var errors: Int { substitutions + deletions + insertions }
  /// Tokens of the reference.
  public var referenceLength: Int { hits + substitutions + deletions }
  /// Tokens of the hypothesis.
  public var hypothesisLength: Int { hits + substitutions + insertions }

  /// Errors per reference token, 0…∞: the word error rate of words, the character error rate of
  /// characters. Without any reference token it is the number of insertions, as in jiwer 4.
  public var errorRate: Double {
    referenceLength == 0 ? Double(insertions) : Double(errors) / Double(referenceLength)
  }

  /// Match error rate, 0…1: the share of steps that are errors (Morris, Maier and Green 2004).
  public var matchErrorRate: Double {
    errors == 0 ? 0 : Double(errors) / Double(hits + errors)
  }

  /// Word information lost, 0…1 (Morris, Maier and Green 2004).
  public var informationLost: Double {
    if referenceLength == 0 { return hypothesisLength == 0 ? 0 : 1 }
    if hypothesisLength == 0 { return 1 }
    let hits = Double(hits)
    return 1 - hits / Double(referenceLength) * (hits / Double(hypothesisLength))
  }

  public static func += (sum: inout ErrorCounts, other: ErrorCounts) {
    sum.hits += other.hits
    sum.substitutions += other.substitutions
    sum.deletions += other.deletions
    sum.insertions += other.insertions
  }
}
