/// The words of a language model in order of their bytes, in which the pieces of a word are looked
/// up one after the other.
///
/// What has been spelled of a word is a pair of numbers, whatever the pieces: the first word in
/// order that begins so, and how many of its bytes.
struct WordSpeller: Sendable {
  /// What has been spelled so far.
  struct Partial: Equatable {
    /// Index into `order`; `Partial.strangeFirst` where no word begins so.
    var first: Int
    /// Bytes spelled.
    var length: Int

    static let strangeFirst = WordSpeller.wordLimit
    /// No word has begun.
    static let none = Partial(first: 0, length: 0)
    /// The beginning of no word.
    static let strange = Partial(first: strangeFirst, length: 0)
  }

  /// Words in one model.
  static let wordLimit = (1 << 23) - 1
  /// Bytes in one word; longer ones count as unknown.
  static let lengthLimit = 255

  private let words: WordTable
  /// Words in order of their bytes.
  private let order: [Int32]

  /// - Parameter listed: the words that can be spelled.
  init(_ words: WordTable, listed: [Int]) {
    self.words = words
    order = listed.map(Int32.init).sorted {
      words[Int($0)].lexicographicallyPrecedes(words[Int($1)])
    }
  }

  /// What is spelled after `piece`, which goes on from `partial`.
  func append(_ piece: [UInt8], to partial: Partial) -> Partial {
    if piece.isEmpty || partial == .strange { return partial }
    let length = partial.length + piece.count
    guard length <= Self.lengthLimit, !order.isEmpty else { return .strange }
    let prefix = words[Int(order[partial.first])].prefix(partial.length)
    var (low, high) = (partial.first, order.count)
    while low < high {
      let middle = (low + high) / 2
      if precedes(middle, prefix, piece) { low = middle + 1 } else { high = middle }
    }
    guard low < order.count, begins(low, prefix, piece) else { return .strange }
    return Partial(first: low, length: length)
  }

  /// The word that is spelled in full; nil if it is none.
  func word(_ partial: Partial) -> Int? {
    // Of all words that begin alike the shortest is first.
    guard partial != .strange, words.length(Int(order[partial.first])) == partial.length else {
      return nil
    }
    return Int(order[partial.first])
  }

  /// Whether the word at `index` comes before `prefix` and `piece`.
  private func precedes(_ index: Int, _ prefix: ArraySlice<UInt8>, _ piece: [UInt8]) -> Bool {
    let word = words[Int(order[index])]
    let head = word.prefix(prefix.count)
    guard head.elementsEqual(prefix) else { return head.lexicographicallyPrecedes(prefix) }
    return word.dropFirst(prefix.count).lexicographicallyPrecedes(piece)
  }

  private func begins(_ index: Int, _ prefix: ArraySlice<UInt8>, _ piece: [UInt8]) -> Bool {
    let word = words[Int(order[index])]
    return word.starts(with: prefix) && word.dropFirst(prefix.count).starts(with: piece)
  }
}
