import Decoding
import Foundation
import TestSupport

/// CTC log-probabilities whose strings can be counted path by path.
struct CTCProblem {
  /// [frames][classes]
  var rows: [[Float]]
  var blank: Int

  /// Random frames; `sharpness` 0 is uniform. Some probabilities may be 0.
  init(
    frames: Int, classes: Int, blank: Int, sharpness: Float = 2, withZeros: Bool = false,
    _ generator: inout SeededGenerator
  ) {
    self.blank = blank
    rows = (0..<frames).map { _ in
      var scores = (0..<classes).map { _ in generator.normal(sharpness) }
      if withZeros { scores[Int.random(in: 0..<classes, using: &generator)] = -.infinity }
      let total = log(scores.reduce(0) { $0 + exp($1) })
      return scores.map { $0 - total }
    }
  }

  /// Frames like those of speech: labels sound for a few frames and blanks are likely.
  init(
    speech frames: Int, classes: Int, blank: Int, _ generator: inout SeededGenerator
  ) {
    self.blank = blank
    var scores = [Float](repeating: 0, count: classes)
    rows = (0..<frames).map { _ in
      for id in 0..<classes { scores[id] = 0.6 * scores[id] + generator.normal(2) }
      var frame = scores
      frame[blank] += 4
      let total = log(frame.reduce(0) { $0 + exp($1) })
      return frame.map { $0 - total }
    }
  }

  /// Frames of given probabilities.
  init(probabilities: [[Double]], blank: Int) {
    rows = probabilities.map { $0.map { Float(log($0)) } }
    self.blank = blank
  }

  /// Frames that spell `classes`, one each, with probability `sure`.
  init(spelling frames: [Int], classes: Int, blank: Int, sure: Double = 0.95) {
    self.init(
      probabilities: frames.map { frame in
        (0..<classes).map { $0 == frame ? sure : (1 - sure) / Double(classes - 1) }
      }, blank: blank)
  }

  var classes: Int { rows.first?.count ?? blank + 1 }
  var labels: [Int] { (0..<classes).filter { $0 != blank } }

  func withLogProbs<Result>(
    _ range: Range<Int>? = nil, _ body: (LogProbs) -> Result
  ) -> Result {
    let range = range ?? rows.indices
    return (rows[range].flatMap { $0 } + [0]).withUnsafeBufferPointer {
      body(LogProbs($0.baseAddress!, frames: range.count, vocabulary: classes))
    }
  }

  /// ln P of every string that has any path, by trying all classes^frames paths.
  func posteriors() -> [[Int]: Double] {
    var paths: [(labels: [Int], last: Int, p: Double)] = [([], blank, 1)]
    for row in rows {
      paths = paths.flatMap { path in
        row.indices.map { id in
          let isNew = id != blank && id != path.last
          return (isNew ? path.labels + [id] : path.labels, id, path.p * exp(Double(row[id])))
        }
      }
    }
    var sums: [[Int]: Double] = [:]
    for path in paths where path.p > 0 { sums[path.labels, default: 0] += path.p }
    return sums.mapValues { log($0) }
  }

  /// All sequences of labels up to a length.
  func prefixes(upTo length: Int) -> [[Int]] {
    var (all, longest): ([[Int]], [[Int]]) = ([[]], [[]])
    for _ in 0..<length {
      longest = longest.flatMap { prefix in labels.map { prefix + [$0] } }
      all += longest
    }
    return all
  }

  func scorer() -> CTCPrefixScorer {
    withLogProbs { CTCPrefixScorer($0, blank: blank) }
  }

  func search(
    _ options: CTCPrefixBeamOptions = .exact, biases: [WeightedBias] = [],
    portions: [Range<Int>]? = nil
  ) -> CTCPrefixBeamSearch {
    var search = CTCPrefixBeamSearch(blank: blank, options: options, biases: biases)
    for range in portions ?? [rows.indices] {
      withLogProbs(range) { search.advance($0) }
    }
    return search
  }

  /// All ways to divide the frames.
  func allPortions() -> [[Range<Int>]] {
    (0..<(1 << max(0, rows.count - 1))).map { cuts in
      let inner = (1..<max(1, rows.count)).filter { cuts >> ($0 - 1) & 1 == 1 }
      return zip([0] + inner, inner + [rows.count]).map { $0..<$1 }
    }
  }
}

/// ln Σ exp.
func logSum(_ values: some Sequence<Double>) -> Double {
  let values = Array(values)
  guard let highest = values.max(), highest > -.infinity else { return -.infinity }
  return highest + log(values.reduce(0) { $0 + exp($1 - highest) })
}

/// Equal to a tolerance; all impossible scores are equal.
func isClose(_ a: Double, _ b: Double, _ tolerance: Double = 1e-5) -> Bool {
  a < -1e9 ? b < -1e9 : abs(a - b) <= tolerance
}
