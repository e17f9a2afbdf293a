/// Spells words in a model's pieces, the longest first.
///
/// A stand-in for a segmenter by the pieces' own probabilities.
package struct PieceSplitter: Sendable {
  /// A word with a character that no piece has.
  package struct Unspellable: Error {}

  private let ids: [String: Int]
  private let longest: Int

  package init(_ vocabulary: Vocabulary) {
    var ids: [String: Int] = [:]
    for id in 0..<vocabulary.count where id != vocabulary.blank {
      let piece = vocabulary.piece(id)
      // <unk> and its like are no text.
      if piece.hasPrefix("<"), piece.hasSuffix(">") { continue }
      let mark = vocabulary.startsWord(id) ? String(Vocabulary.wordStart) : ""
      ids[mark + piece] = id
    }
    self.ids = ids
    longest = ids.keys.map(\.count).max() ?? 0
  }

  /// The tokens of one word, the first of which starts a word.
  package func tokens(_ word: String) throws -> [Int] {
    var rest = (String(Vocabulary.wordStart) + word)[...]
    var tokens: [Int] = []
    while !rest.isEmpty {
      var piece = rest.prefix(longest)
      while !piece.isEmpty, ids[String(piece)] == nil { piece.removeLast() }
      guard let id = ids[String(piece)] else { throw Unspellable() }
      tokens.append(id)
      rest = rest[piece.endIndex...]
    }
    return tokens
  }
}
