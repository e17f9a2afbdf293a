import Decoding
import Foundation

/// Prefix beam search as §4.2 writes it, with whole prefixes as keys: slow and plain.
struct ReferencePrefixBeam {
  private struct Score {
    var blank = -Double.infinity
    var nonBlank = -Double.infinity
    var sum: Double { logSum([blank, nonBlank]) }
  }

  let blank: Int
  let options: CTCPrefixBeamOptions
  private var beam: [[Int]: Score] = [[]: Score(blank: 0)]

  init(blank: Int, options: CTCPrefixBeamOptions) {
    self.blank = blank
    self.options = options
  }

  mutating func advance(_ row: [Float]) {
    let top = row.indices.sorted { (row[$0], $1) > (row[$1], $0) }
      .prefix(options.tokensPerFrame).filter { row[$0] >= options.minTokenLogProb }
    var next: [[Int]: Score] = [:]
    for (prefix, score) in beam {
      next[prefix, default: Score()].blank = score.sum + Double(row[blank])
      if let last = prefix.last {
        let n = next[prefix]!.nonBlank
        next[prefix]!.nonBlank = logSum([n, score.nonBlank + Double(row[last])])
      }
      for token in top where token != blank {
        let from = token == prefix.last ? score.blank : score.sum
        let n = next[prefix + [token], default: Score()].nonBlank
        next[prefix + [token], default: Score()].nonBlank = logSum([n, from + Double(row[token])])
      }
    }
    let ranked = next.sorted { $0.value.sum > $1.value.sum }.prefix(options.beamSize)
    let lowest = ranked[0].value.sum - options.beamThreshold
    beam = Dictionary(
      uniqueKeysWithValues: ranked.filter { $0.value.sum >= lowest }.map { ($0.key, $0.value) })
  }

  var nBest: [(tokens: [Int], score: Double)] {
    beam.map { ($0.key, $0.value.sum) }.sorted { $0.1 > $1.1 }
  }
}
