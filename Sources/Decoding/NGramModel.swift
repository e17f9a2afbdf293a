/// A back-off n-gram language model over words, or over whatever its ARPA file lists as words.
///
/// With h the words so far, p(w | h) is the probability of the n-gram hw if the model has it, and
/// else the back-off weight of h (1 if it has none) times p(w | h without its first word). A context
/// is the number of the longest end of h that the model knows; the rest of h changes nothing.
///
/// All n-grams lie in one tree. An n-gram costs about 30 bytes.
public struct NGramModel: Sendable {
  /// The highest order that can be read.
  public static let orderLimit = 6

  /// Words in the longest n-gram.
  public let order: Int
  /// N-grams of each length, from 1.
  public let counts: [Int]
  /// The file, for messages.
  public let file: String
  /// Word that stands for all unlisted ones, if the model has it.
  public let unknown: Int?
  /// End of sentence, if the model has it.
  public let sentenceEnd: Int?
  /// The context at the start of a sentence.
  public let sentenceStart: Int

  let words: WordTable
  private let trie: SequenceTrie
  private let depths: [UInt8]
  /// Longest proper end of each n-gram that is one too.
  private let links: [Int32]
  /// Log-probability of each n-gram's last word, in nats; NaN for one that the file lists only as
  /// the beginning of longer ones.
  private let logProbs: [Float]
  /// Log of each n-gram's back-off weight, in nats.
  private let backOffs: [Float]

  init(
    file: String, counts: [Int], words: WordTable, trie: SequenceTrie, logProbs: [Float],
    backOffs: [Float]
  ) {
    self.file = file
    self.counts = counts
    order = counts.count
    self.words = words
    self.trie = trie
    self.logProbs = logProbs
    self.backOffs = backOffs
    let depths = trie.depths()
    self.depths = depths.map(UInt8.init)
    links = trie.suffixes(depths)
    unknown = words.index(of: "<unk>") ?? words.index(of: "<UNK>")
    sentenceEnd = words.index(of: "</s>")
    let first = words.index(of: "<s>").flatMap { trie.child(of: SequenceTrie.root, $0) }
    sentenceStart = order > 1 ? first ?? SequenceTrie.root : SequenceTrie.root
  }

  public var wordCount: Int { words.count }

  /// The number of a word, 0..<wordCount.
  public func word(_ text: String) -> Int? { words.index(of: text) }

  public func text(of word: Int) -> String { words.text(word) }

  /// Whether `word` is one of <s>, </s>, <unk>.
  public func isControl(_ word: Int) -> Bool {
    word == unknown || word == sentenceEnd || word == words.index(of: "<s>")
  }

  /// Whether the model is over pieces of words: at least one begins with ▁.
  public var isOverPieces: Bool {
    (0..<wordCount).contains { words[$0].starts(with: String(Vocabulary.wordStart).utf8) }
  }

  /// The log-probability of `word` after `context`, in nats, and the context after it.
  public func score(_ word: Int, after context: Int) -> (context: Int, logProb: Double) {
    var node = context
    var next: Int?
    var logProb = 0.0
    while true {
      if let child = trie.child(of: node, word) {
        if next == nil { next = Int(depths[child]) == order ? Int(links[child]) : child }
        if !logProbs[child].isNaN { return (next!, logProb + Double(logProbs[child])) }
      }
      precondition(node != SequenceTrie.root, "every word is a 1-gram")
      logProb += Double(backOffs[node])
      node = Int(links[node])
    }
  }

  /// The log-probability that a sentence ends in `context`, in nats; 0 if the model does not say.
  public func endLogProb(after context: Int) -> Double {
    sentenceEnd.map { score($0, after: context).logProb } ?? 0
  }
}
