import Foundation

/// Viterbi alignment of a given token sequence to CTC log-probabilities.
///
/// Exact without a band: of all paths that spell the tokens, the most probable one. With a band it
/// keeps at each frame the states within `band` tokens of the best partial path; the result is
/// exact whenever the exact path stays inside, always so if `band` is at least the number of
/// tokens. A band that loses every path to the end is doubled until one is left.
///
/// Memory is O(√T · L) rather than T · L: a first pass keeps the scores of every Bth frame, with
/// B ≈ 4·√T, a second one goes through the blocks of B frames from the last to the first, each
/// time with back-pointers for one block only. An hour with 10,000 words takes some 60 MB beside
/// the log-probabilities.
public struct CTCForcedAlignment: Sendable {
  private let blank: Int
  private let band: Int?

  /// - Parameter band: tokens kept on each side of the best partial path; nil for all.
  public init(blank: Int, band: Int? = nil) {
    precondition(band ?? 1 > 0, "a band of \(band ?? 0) tokens")
    self.blank = blank
    self.band = band
  }

  /// Frames that a path through `tokens` takes at least.
  public static func framesNeeded(_ tokens: [Int]) -> Int {
    tokens.count + zip(tokens, tokens.dropFirst()).count { $0 == $1 }
  }

  /// Places `tokens`, none of them blank, in the frames of `logProbs`, in order.
  public func align(
    _ tokens: [Int], to logProbs: LogProbs
  ) throws(AlignmentError) -> [AlignedToken] {
    precondition(
      tokens.allSatisfy { $0 != blank && (0..<logProbs.vocabulary).contains($0) },
      "a token that the CTC head does not have")
    let needed = Self.framesNeeded(tokens)
    guard logProbs.frames >= needed else {
      throw .tooShort(frames: logProbs.frames, needed: needed)
    }
    guard !tokens.isEmpty else { return [] }
    var band = band ?? tokens.count
    while true {
      var search = AlignmentSearch(
        tokens: tokens, blank: blank, band: band, logProbs: logProbs)
      if search.scan() { return search.trace() }
      guard band < tokens.count else { throw .impossible }
      band *= 2
    }
  }
}

/// The two passes of one alignment.
private struct AlignmentSearch {
  private let logProbs: LogProbs
  private let band: Int
  private let blockFrames: Int
  private var lattice: AlignmentLattice
  /// Pairs computed at each frame. [T]
  private var pairs: [Range<Int>] = []
  /// Scores before each block but the first. [blocks − 1]
  private var checkpoints: [(blanks: [Double], tokens: [Double])] = []

  init(tokens: [Int], blank: Int, band: Int, logProbs: LogProbs) {
    self.logProbs = logProbs
    self.band = band
    blockFrames = max(16, 4 * Int(Double(logProbs.frames).squareRoot()))
    lattice = AlignmentLattice(labels: tokens, blank: blank)
  }

  private var frames: Int { logProbs.frames }
  private var tokenCount: Int { lattice.labels.count }

  /// The forward pass.
  ///
  /// - Returns: whether any path reached the end.
  mutating func scan() -> Bool {
    pairs.reserveCapacity(frames)
    for frame in 0..<frames {
      if frame > 0, frame % blockFrames == 0 { checkpoints.append(lattice.saved(pairs[frame - 1])) }
      let range = nextPairs(frame)
      lattice.advance(
        logProbs[frame], pairs: range, floor: pairs.last?.lowerBound ?? 0, moves: nil)
      pairs.append(range)
    }
    return max(lattice.tokenScores[tokenCount - 1], lattice.blankScores[tokenCount]) > -.infinity
  }

  /// What a path can have reached at `frame` and still reach the end from, inside the band.
  private func nextPairs(_ frame: Int) -> Range<Int> {
    let last = pairs.last ?? 0..<1
    let earliest = max(0, tokenCount - (frames - frame))
    let latest = min(tokenCount, frame)
    guard band < tokenCount else { return max(last.lowerBound, earliest)..<latest + 1 }
    let center = lattice.bestPair(last)
    let lower = max(last.lowerBound, earliest, min(center - band, latest))
    return lower..<max(last.upperBound, min(latest, max(center, lower) + band) + 1)
  }

  /// The backward pass, block by block.
  mutating func trace() -> [AlignedToken] {
    var found: [AlignedToken] = []
    var pair = tokenCount
    var inToken = lattice.tokenScores[tokenCount - 1] >= lattice.blankScores[tokenCount]
    if inToken { pair -= 1 }
    var moves: [UInt8] = []
    for block in stride(from: (frames - 1) / blockFrames, through: 0, by: -1) {
      let start = block * blockFrames
      let end = min(frames, start + blockFrames)
      let offsets = recompute(block, start..<end, &moves)
      for frame in (start..<end).reversed() {
        let move = moves[offsets[frame - start] + pair - pairs[frame].lowerBound]
        guard inToken else {
          if move & AlignmentLattice.Move.blankEntered != 0 {
            (pair, inToken) = (pair - 1, true)
          }
          continue
        }
        add(frame, pair, to: &found)
        if move & AlignmentLattice.Move.tokenSkipped != 0 {
          pair -= 1
        } else if move & AlignmentLattice.Move.tokenEntered != 0 {
          inToken = false
        }
      }
    }
    return found.reversed().map { token in
      var token = token
      token.posterior /= Double(token.frames.count)
      return token
    }
  }

  /// Fills the back-pointers of a block.
  ///
  /// - Returns: where those of each frame begin.
  private mutating func recompute(
    _ block: Int, _ range: Range<Int>, _ moves: inout [UInt8]
  ) -> [Int] {
    if block == 0 {
      lattice = AlignmentLattice(labels: lattice.labels, blank: lattice.blank)
    } else {
      lattice.restore(checkpoints.removeLast(), pairs[range.lowerBound - 1])
    }
    var offsets: [Int] = []
    var total = 0
    for frame in range {
      offsets.append(total)
      total += pairs[frame].count
    }
    if moves.count < total { moves = Array(repeating: 0, count: total) }
    moves.withUnsafeMutableBufferPointer { buffer in
      for frame in range {
        lattice.advance(
          logProbs[frame], pairs: pairs[frame],
          floor: frame > 0 ? pairs[frame - 1].lowerBound : 0,
          moves: buffer.baseAddress! + offsets[frame - range.lowerBound])
      }
    }
    return offsets
  }

  /// Gives `frame` to the token of `pair`; `found` is in reverse order, posteriors still summed.
  private func add(_ frame: Int, _ pair: Int, to found: inout [AlignedToken]) {
    let id = lattice.labels[pair]
    let logProb = Double(logProbs[frame][id])
    // Tokens come one after another, so the last found is this one or the one after it.
    if found.count < tokenCount - pair {
      found.append(
        AlignedToken(id: id, frames: frame..<frame + 1, logProb: logProb, posterior: exp(logProb)))
    } else {
      let last = found.count - 1
      found[last].frames = frame..<found[last].frames.upperBound
      found[last].logProb += logProb
      found[last].posterior += exp(logProb)
    }
  }
}
