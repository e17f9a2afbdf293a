/// Boosts phrases that a user expects to hear.
///
/// The rule: a phrase is heard where its tokens stand in a row as whole words, that is, the first
/// begins a word and the token after the last begins another, or there is none. Every place where
/// a phrase is heard earns its boost for each of its tokens, also where phrases overlap or one holds
/// another; over a whole utterance nothing else remains. Longer phrases earn more because more of
/// the audio must agree with them, and a flat boost puts short words where nobody said them
/// (Benchmarks/README.md). A phrase listed twice counts once, with its last boost.
///
/// On the way there, the tokens of an unfinished phrase earn shares of its boost, so that a search
/// does not drop it. What the tokens up to a state hold in advance depends on the state alone, and
/// a step earns the difference, so that what does not come true is refunded to the last bit but
/// rounding. States are nodes of an Aho-Corasick automaton over the phrases' tokens.
public struct HotWords: TokenBias {
  public static let phraseLimit = 20_000
  /// Characters in one phrase.
  public static let lengthLimit = 1000
  /// Nats for each token.
  public static let boostRange = -20.0...20.0
  public static let defaultBoost = 1.5

  public let start = SequenceTrie.root
  /// Different phrases.
  public let count: Int
  private let trie: SequenceTrie
  /// The state to fall back to where a state has no child.
  private let links: [Int32]
  /// Whether each token starts a word.
  private let startsWord: [Bool]
  /// Sum of the boosts of all phrases that end in each state.
  private let ended: [Double]
  /// What each state holds in advance: `ended`, and a share of the most promising open phrase.
  private let held: [Double]

  /// - Parameter boost: what a phrase without its own boost earns for each token, in nats.
  public init(
    _ words: [HotWord], boost: Double = HotWords.defaultBoost, segmenter: TokenSegmenter
  ) throws(HotWordError) {
    try Self.check(boost, of: "the default boost", place: nil)
    guard words.count <= Self.phraseLimit else {
      throw HotWordError(
        place: nil, reason: "\(words.count) hot words; at most \(Self.phraseLimit) are possible")
    }
    var trie = SequenceTrie()
    var boosts: [Int: Double] = [:]
    for (index, word) in words.enumerated() {
      let place = word.place ?? "hot word \(index + 1)"
      var node = SequenceTrie.root
      let tokens = try Self.tokens(word, place: place, segmenter)
      for token in tokens { node = trie.insert(token, after: node).node }
      if let own = word.boost { try Self.check(own, of: "the boost", place: place) }
      boosts[node] = (word.boost ?? boost) * Double(tokens.count)
    }
    count = boosts.count
    let vocabulary = segmenter.vocabulary
    startsWord = (0..<vocabulary.count).map(vocabulary.startsWord)
    let depths = trie.depths()
    links = trie.suffixes(depths)
    (ended, held) = Self.scores(trie, depths, links, boosts)
    self.trie = trie
  }

  public func step(_ state: Int, token: Int) -> (state: Int, score: Double) {
    let confirmed = startsWord[token] ? ended[state] : 0
    let next = trie.descend(from: state, token, links)
    return (next, confirmed + held[next] - held[state])
  }

  public func finish(_ state: Int) -> Double { ended[state] - held[state] }

  private static func tokens(
    _ word: HotWord, place: String, _ segmenter: TokenSegmenter
  ) throws(HotWordError) -> [Int] {
    guard word.phrase.unicodeScalars.count <= lengthLimit else {
      throw HotWordError(
        place: place,
        reason: "is \(word.phrase.unicodeScalars.count) characters long; at most "
          + "\(lengthLimit) are possible")
    }
    let tokens: [Int]
    do throws(SegmentationError) {
      tokens = try segmenter.tokens(word.phrase)
    } catch {
      throw HotWordError(place: place, reason: error.description)
    }
    guard !tokens.isEmpty else { throw HotWordError(place: place, reason: "has no words") }
    return tokens
  }

  private static func check(
    _ boost: Double, of what: String, place: String?
  ) throws(HotWordError) {
    // NaN is in no range.
    guard boostRange.contains(boost) else {
      throw HotWordError(
        place: place,
        reason: "\(what) is \(boost), expected a number from "
          + "\(Int(boostRange.lowerBound)) to \(Int(boostRange.upperBound)) nats")
    }
  }

  /// `ended` and `held` of all states.
  private static func scores(
    _ trie: SequenceTrie, _ depths: [UInt16], _ links: [Int32], _ boosts: [Int: Double]
  ) -> (ended: [Double], held: [Double]) {
    // The best boost per token of the phrases that go on from each node; -infinity if none does.
    var rate: [Double] = Array(repeating: -.infinity, count: trie.count)
    for (node, boost) in boosts {
      let perToken = boost / Double(depths[node])
      var above = trie.parent(of: node)
      while above != SequenceTrie.root, rate[above] < perToken {
        rate[above] = perToken
        above = trie.parent(of: above)
      }
    }
    var ended: [Double] = Array(repeating: 0, count: trie.count)
    var open: [Double] = Array(repeating: -.infinity, count: trie.count)
    // A suffix is shorter than its node.
    for node in trie.byDepth(depths) where node != SequenceTrie.root {
      let (node, link) = (Int(node), Int(links[Int(node)]))
      ended[node] = ended[link] + (boosts[node] ?? 0)
      open[node] = max(open[link], rate[node] * Double(depths[node]))
    }
    return (ended, zip(ended, open).map { $0 + ($1 == -.infinity ? 0 : $1) })
  }
}
