/// The scores of the best partial paths at one frame of a forced alignment.
///
/// The states of a text of L tokens are ε c₀ ε c₁ … ε, kept in pairs: pair j is the blank before
/// token j and token j itself; the last pair has only its blank. A path moves from a blank to the
/// token of its pair, from a token to the blank or the token of the next pair; the latter not
/// between equal tokens, which CTC would merge.
struct AlignmentLattice {
  /// How the best path came to a pair at a frame, two facts in a byte.
  enum Move {
    /// The token was entered from its own blank; neither this nor `tokenSkipped`: it went on.
    static let tokenEntered: UInt8 = 1
    /// The token was entered from the token before it.
    static let tokenSkipped: UInt8 = 2
    /// The blank was entered from the token before it.
    static let blankEntered: UInt8 = 4
  }

  let labels: [Int]
  let blank: Int
  /// 0 where a token may follow the one before it at once, else −∞. [L]
  private let skipPenalty: [Double]
  /// [L + 1]
  private(set) var blankScores: [Double]
  /// [L + 1]; the last stays −∞.
  private(set) var tokenScores: [Double]

  /// At the virtual frame before the first: in the first blank, at no cost.
  init(labels: [Int], blank: Int) {
    self.labels = labels
    self.blank = blank
    skipPenalty = labels.indices.map { $0 > 0 && labels[$0] != labels[$0 - 1] ? 0 : -.infinity }
    blankScores = Array(repeating: -.infinity, count: labels.count + 1)
    tokenScores = blankScores
    blankScores[0] = 0
  }

  /// Takes one frame.
  ///
  /// - Parameters:
  ///   - pairs: those to compute. The ends of this range never go down from frame to frame.
  ///   - floor: start of the range of the frame before.
  ///   - moves: filled for `pairs` if not nil. [pairs.count]
  mutating func advance(
    _ row: UnsafeBufferPointer<Float>, pairs: Range<Int>, floor: Int,
    moves: UnsafeMutablePointer<UInt8>?
  ) {
    let count = labels.count
    let blankLogProb = Double(row[blank])
    blankScores.withUnsafeMutableBufferPointer { blanks in
      tokenScores.withUnsafeMutableBufferPointer { tokens in
        skipPenalty.withUnsafeBufferPointer { penalties in
          labels.withUnsafeBufferPointer { labels in
            // From the end on, so that the scores of the frame before are still there to read.
            for pair in pairs.reversed() {
              let tokenBefore = pair > 0 ? tokens[pair - 1] : -.infinity
              var move: UInt8 = 0
              if pair < count {
                var best = tokens[pair]
                if blanks[pair] > best { (best, move) = (blanks[pair], Move.tokenEntered) }
                let skipped = tokenBefore + penalties[pair]
                if skipped > best { (best, move) = (skipped, Move.tokenSkipped) }
                tokens[pair] = best + Double(row[labels[pair]])
              }
              if tokenBefore > blanks[pair] {
                blanks[pair] = tokenBefore
                move |= Move.blankEntered
              }
              blanks[pair] += blankLogProb
              moves?[pair - pairs.lowerBound] = move
            }
          }
        }
        for pair in floor..<pairs.lowerBound {
          (blanks[pair], tokens[pair]) = (-.infinity, -.infinity)
        }
      }
    }
  }

  /// The pair with the best path so far.
  func bestPair(_ pairs: Range<Int>) -> Int {
    var best = (pair: pairs.lowerBound, score: -Double.infinity)
    for pair in pairs {
      let score = max(blankScores[pair], tokenScores[pair])
      if score > best.score { best = (pair, score) }
    }
    return best.pair
  }

  /// The scores of `pairs`, from which `restore` goes on.
  func saved(_ pairs: Range<Int>) -> (blanks: [Double], tokens: [Double]) {
    (Array(blankScores[pairs]), Array(tokenScores[pairs]))
  }

  mutating func restore(_ saved: (blanks: [Double], tokens: [Double]), _ pairs: Range<Int>) {
    for pair in blankScores.indices {
      let inside = pairs.contains(pair)
      blankScores[pair] = inside ? saved.blanks[pair - pairs.lowerBound] : -.infinity
      tokenScores[pair] = inside ? saved.tokens[pair - pairs.lowerBound] : -.infinity
    }
  }
}
