import Decoding
import Foundation
import TestSupport

/// Log-probabilities made by hand or by chance.
struct Table {
  /// [frames][classes]
  var rows: [[Float]]

  init(rows: [[Float]]) { self.rows = rows }

  /// Frames whose best class has probability `sure`, the others equal shares of the rest.
  init(_ best: [Int], classes: Int, sure: Double = 0.9) {
    rows = best.map { best in
      (0..<classes).map {
        Float(log($0 == best ? sure : (1 - sure) / Double(classes - 1)))
      }
    }
  }

  /// Random frames; silence and tokens come in runs.
  init(random frames: Int, classes: Int, blank: Int, _ generator: inout SeededGenerator) {
    var best = blank
    rows = (0..<frames).map { _ in
      if Int.random(in: 0..<3, using: &generator) > 0 {
        best =
          Bool.random(using: &generator) ? blank : Int.random(in: 0..<classes, using: &generator)
      }
      var scores = (0..<classes).map { _ in generator.normal(1) }
      scores[best] += Float.random(in: 0..<8, using: &generator)
      let total = log(scores.reduce(0) { $0 + exp($1) })
      return scores.map { $0 - total }
    }
  }

  /// Calls `body` with the frames of `range`.
  func withLogProbs<Result>(_ range: Range<Int>, _ body: (LogProbs) -> Result) -> Result {
    let flat = rows[range].flatMap { $0 }
    return (flat.isEmpty ? [0] : flat).withUnsafeBufferPointer {
      body(
        LogProbs($0.baseAddress!, frames: range.count, vocabulary: rows.first?.count ?? 1))
    }
  }

  /// Greedy search over all frames.
  func search(blank: Int) -> [DecodedToken] {
    var (search, tokens) = (CTCGreedySearch(blank: blank), [DecodedToken]())
    withLogProbs(rows.indices) { logProbs in
      for frame in rows.indices {
        search.advance(logProbs[frame], frame: frame, tokens: &tokens)
      }
    }
    return tokens
  }

  /// A random division of the frames, empty portions among them.
  func portions(_ generator: inout SeededGenerator) -> [Range<Int>] {
    var (portions, start) = ([Range<Int>](), 0)
    let largest = [1, 5, 1000].randomElement(using: &generator)!
    while start < rows.count {
      let end = min(rows.count, start + Int.random(in: 0...largest, using: &generator))
      portions.append(start..<end)
      start = end
    }
    return portions
  }
}
