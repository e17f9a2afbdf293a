import Foundation

/// The matched-pairs sentence-segment word error test (Gillick and Cox 1989), NIST's MAPSSWE.
///
/// Utterances are cut into segments so that the errors of one can be taken as independent of those
/// of the next: a segment with errors ends where both systems have two words right in a row, or
/// with the utterance.
public struct MatchedPairs: Equatable, Sendable {
  /// Words in a row that both systems have right between two segments.
  static let buffer = 2

  /// Segments in which a system has an error.
  public let segments: Int
  /// Mean of the errors of the second system less those of the first, per segment.
  public let meanDifference: Double
  /// Standard deviation of that difference.
  public let deviation: Double
  /// The statistic; standard normal if the systems are equal and segments are many.
  public let z: Double
  /// Two-tailed; 1 where there is nothing to tell.
  public let p: Double

  /// - Parameter utterances: the operations of both systems on each utterance, over the same
  ///   reference words.
  public init(_ utterances: [(first: [EditOperation], second: [EditOperation])]) {
    var differences: [Int] = []
    for (first, second) in utterances { Self.collect(first, second, into: &differences) }
    segments = differences.count
    let count = Double(differences.count)
    let mean = Double(differences.reduce(0, +)) / max(1, count)
    let squares = differences.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
    meanDifference = mean
    deviation = count > 1 ? (squares / (count - 1)).squareRoot() : 0
    z = deviation > 0 ? mean / (deviation / count.squareRoot()) : 0
    p = deviation > 0 ? erfc(abs(z) / 2.0.squareRoot()) : 1
  }

  private static func collect(
    _ first: [EditOperation], _ second: [EditOperation], into differences: inout [Int]
  ) {
    let (a, b) = (errorsByPlace(first), errorsByPlace(second))
    precondition(a.count == b.count, "both systems must be scored on the same reference words")
    var difference = 0
    var isOpen = false
    var right = 0
    for place in a.indices {
      if a[place] + b[place] > 0 {
        isOpen = true
        difference += b[place] - a[place]
        right = 0
      } else if isWord(place) {
        right += 1
      }
      if isOpen, right == buffer || place == a.count - 1 {
        differences.append(difference)
        (difference, isOpen) = (0, false)
      }
    }
  }

  /// Insertions before the first word, errors of that word, insertions before the second, …, and
  /// insertions after the last.
  private static func errorsByPlace(_ operations: [EditOperation]) -> [Int] {
    var errors = [0]
    for operation in operations {
      if operation == .insertion {
        errors[errors.count - 1] += 1
      } else {
        errors += [operation == .match ? 0 : 1, 0]
      }
    }
    return errors
  }

  private static func isWord(_ place: Int) -> Bool { place % 2 == 1 }
}
