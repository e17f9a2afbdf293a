import Foundation

/// Splits text into the pieces of a vocabulary, as SentencePiece's unigram model does.
///
/// Each word gets a leading ▁; of all ways to put pieces together to the word, the one with the
/// highest sum of log-probabilities wins. Where the vocabulary states no log-probabilities, the
/// fewest pieces win. Ties go to the longer piece in front.
public struct TokenSegmenter: Sendable {
  public let vocabulary: Vocabulary
  private let letters: LetterCase
  /// Pieces by Unicode scalar. Symbols such as <unk> spell nothing and are left out.
  private var trie = SequenceTrie()
  /// Class and score of the piece that each node spells, if any.
  private var pieces: [(id: Int, score: Double)?] = [nil]
  private var characters: Set<Unicode.Scalar> = []

  private static let mark = Vocabulary.wordStart
  private static let apostrophe: Unicode.Scalar = "'"

  public init(_ vocabulary: Vocabulary) {
    self.vocabulary = vocabulary
    let spelling = (0..<vocabulary.count).filter { !vocabulary.isControl($0) }
    letters = LetterCase(of: spelling.lazy.map(vocabulary.piece))
    let isScored = spelling.allSatisfy { vocabulary.logProb($0) != nil }
    for id in spelling {
      let score = isScored ? Double(vocabulary.logProb(id)!) : -1
      insert(vocabulary.markedPiece(id), id: id, score: score)
    }
  }

  /// <unk>, <s> and their like.
  static func isControl(_ piece: String) -> Bool {
    piece.count > 2 && piece.first == "<" && piece.last == ">"
  }

  /// The tokens of `text`: none if it has no words.
  public func tokens(_ text: String) throws(SegmentationError) -> [Int] {
    var tokens: [Int] = []
    for word in words(of: text) {
      guard append(word, to: &tokens) else { throw fault(in: word, of: text) }
    }
    return tokens
  }

  private mutating func insert(_ piece: String, id: Int, score: Double) {
    var node = SequenceTrie.root
    for scalar in piece.unicodeScalars {
      characters.insert(scalar)
      let (child, isNew) = trie.insert(Int(scalar.value), after: node)
      if isNew { pieces.append(nil) }
      node = child
    }
    if let known = pieces[node], known.score >= score { return }
    if node != SequenceTrie.root { pieces[node] = (id, score) }
  }

  /// The words in the vocabulary's case and composition, each with its ▁.
  private func words(of text: String) -> [[Unicode.Scalar]] {
    var text = letters.apply(text)
    if !text.utf8.allSatisfy({ $0 < 0x80 }) {
      text = text.precomposedStringWithCompatibilityMapping
    }
    return text.unicodeScalars
      .split { $0.properties.isWhitespace || $0 == Self.mark }
      .map { [Self.mark] + $0.map(substitute) }
  }

  /// Word processors write a right single quotation mark for the apostrophe.
  private func substitute(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    scalar == "\u{2019}" && !characters.contains(scalar) && characters.contains(Self.apostrophe)
      ? Self.apostrophe : scalar
  }

  /// Appends the best pieces of `word`; false if there are none.
  private func append(_ word: [Unicode.Scalar], to tokens: inout [Int]) -> Bool {
    // Best score from each position to the end of the word, with the first piece of that path.
    var best = Array(repeating: (score: -Double.infinity, id: -1, end: 0), count: word.count + 1)
    best[word.count].score = 0
    for start in word.indices.reversed() {
      forEachPiece(in: word, from: start) { end, id, score in
        let total = score + best[end].score
        if total > -.infinity, total >= best[start].score { best[start] = (total, id, end) }
      }
    }
    guard best[0].id >= 0 else { return false }
    var position = 0
    while position < word.count {
      tokens.append(best[position].id)
      position = best[position].end
    }
    return true
  }

  /// Calls `body` for each piece that stands at `start`, shorter ones first.
  private func forEachPiece(
    in word: [Unicode.Scalar], from start: Int, _ body: (_ end: Int, _ id: Int, Double) -> Void
  ) {
    var node = SequenceTrie.root
    for position in start..<word.count {
      guard let child = trie.child(of: node, Int(word[position].value)) else { return }
      node = child
      if let piece = pieces[node] { body(position + 1, piece.id, piece.score) }
    }
  }

  /// What stops `word`: a character that no piece has, else the furthest that pieces reach.
  private func fault(in word: [Unicode.Scalar], of text: String) -> SegmentationError {
    let phrase = text.trimmingCharacters(in: .whitespacesAndNewlines)
    if let stranger = word.dropFirst().first(where: { !characters.contains($0) }) {
      return SegmentationError(phrase: phrase, character: Character(stranger), isUnknown: true)
    }
    var isReached = Array(repeating: false, count: word.count + 1)
    isReached[0] = true
    for start in word.indices where isReached[start] {
      forEachPiece(in: word, from: start) { end, _, _ in isReached[end] = true }
    }
    // Before the first character stands only the mark.
    let position = max(isReached.lastIndex(of: true)!, 1)
    return SegmentationError(
      phrase: phrase, character: Character(word[position]), isUnknown: false)
  }
}
