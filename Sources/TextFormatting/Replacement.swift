import Decoding

/// What becomes of some consecutive words.
struct Replacement: Equatable {
  /// A written word in place of `count` spoken ones; nil leaves them as they are.
  struct Piece: Equatable {
    var text: String?
    var count: Int
  }

  var pieces: [Piece]

  /// Spoken words that it covers.
  var count: Int { pieces.reduce(0) { $0 + $1.count } }

  init(_ pieces: (String, Int)...) {
    self.pieces = pieces.map { Piece(text: $0, count: $1) }
  }

  /// Keeps `count` words, so that no rule takes a part of them.
  static func unchanged(_ count: Int) -> Replacement {
    var kept = Replacement()
    kept.pieces = [Piece(text: nil, count: count)]
    return kept
  }

  /// The written words in place of `spoken`, which has `count` words.
  func apply(to spoken: ArraySlice<Word>) -> [Word] {
    var words: [Word] = []
    var next = spoken.startIndex
    for piece in pieces {
      let own = spoken[next..<next + piece.count]
      next += piece.count
      guard let text = piece.text, let first = own.first, let last = own.last else {
        words += own
        continue
      }
      words.append(
        Word(
          word: text, start: first.start, end: last.end,
          confidence: own.map(\.confidence).min() ?? first.confidence))
    }
    return words
  }
}
