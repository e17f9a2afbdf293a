/// A prefix on the beam with the log-probabilities of the paths that lead to it (§4.2 of the
/// specification; Graves 2012, Hannun et al. 2014).
struct BeamEntry: Sendable {
  /// In the trie of prefixes.
  var node: Int
  /// Log-sum over the paths that end in a blank.
  var blank: Double
  /// Log-sum over the paths that end in the last token.
  var nonBlank: Double
  /// Best single path that ends in a blank, and when its tokens sounded.
  var viterbiBlank: Double
  var blankAlignment = ViterbiAlignment()
  /// Best single path that ends in the last token, and when its tokens sounded.
  var viterbiNonBlank: Double
  var nonBlankAlignment = ViterbiAlignment()

  /// The empty prefix before any frame.
  static let empty = BeamEntry(
    node: PrefixTrie.root, blank: 0, nonBlank: -.infinity, viterbiBlank: 0,
    viterbiNonBlank: -.infinity)

  /// Log-sum over all paths.
  var score: Double { logAdd(blank, nonBlank) }

  var bestAlignment: ViterbiAlignment {
    viterbiBlank > viterbiNonBlank ? blankAlignment : nonBlankAlignment
  }

  /// The same prefix after a frame that is a blank or, unless `repeated` is nil, repeats the last
  /// token with that log-probability.
  func staying(blank blankLogProb: Float, repeated: Float?, frame: Int) -> BeamEntry {
    let p = Double(blankLogProb)
    var next = BeamEntry(
      node: node, blank: score + p, nonBlank: -.infinity,
      viterbiBlank: max(viterbiBlank, viterbiNonBlank) + p, blankAlignment: bestAlignment,
      viterbiNonBlank: -.infinity)
    guard let repeated else { return next }
    next.nonBlank = nonBlank + Double(repeated)
    next.viterbiNonBlank = viterbiNonBlank + Double(repeated)
    next.nonBlankAlignment = nonBlankAlignment
    if repeated > nonBlankAlignment.logProb {
      next.nonBlankAlignment.logProb = repeated
      next.nonBlankAlignment.frame = Int32(frame)
      next.nonBlankAlignment.cell = -1
    }
    return next
  }

  /// Adds the paths that come from the parent by a first frame of the last token.
  mutating func add(_ extension: BeamExtension) {
    nonBlank = logAdd(nonBlank, `extension`.score)
    if `extension`.viterbi > viterbiNonBlank {
      viterbiNonBlank = `extension`.viterbi
      nonBlankAlignment = `extension`.alignment
    }
  }
}

/// The paths that a frame leads from a prefix to the prefix with one more token.
struct BeamExtension {
  var score: Double
  var viterbi: Double
  var alignment: ViterbiAlignment
}
