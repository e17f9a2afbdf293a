import Foundation

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

  /// Numbers of the words in order of their bytes.
  private let order: [Int32]
  /// UTF-8 of all words in that order.
  private var bytes: [UInt8] = []
  /// Where each word begins in `bytes`, and where the last ends.
  private var starts: [Int] = [0]

  /// - Parameter listed: the words that can be spelled.
  init(_ words: WordTable, listed: [Int]) {
    order = words.withUnsafeBytes { word in
      listed.map(Int32.init).sorted { Self.precedes(word(Int($0)), word(Int($1))) }
    }
    for index in order {
      bytes.append(contentsOf: words[Int(index)])
      starts.append(bytes.count)
    }
  }

  /// What is spelled after `piece`, which goes on from `partial`.
  func append(_ piece: [UInt8], to partial: Partial) -> Partial {
    if piece.isEmpty || partial == .strange { return partial }
    let length = partial.length + piece.count
    guard length <= Self.lengthLimit, !order.isEmpty else { return .strange }
    let found = bytes.withUnsafeBytes { bytes in
      piece.withUnsafeBytes { find($0, after: partial, in: bytes) }
    }
    return found.map { Partial(first: $0, length: length) } ?? .strange
  }

  /// The word that is spelled in full; nil if it is none.
  func word(_ partial: Partial) -> Int? {
    // Of all words that begin alike the shortest is first.
    guard partial != .strange,
      starts[partial.first + 1] - starts[partial.first] == partial.length
    else { return nil }
    return Int(order[partial.first])
  }

  /// The first word that begins with what `partial` spells and `piece`.
  private func find(
    _ piece: UnsafeRawBufferPointer, after partial: Partial, in bytes: UnsafeRawBufferPointer
  ) -> Int? {
    let prefix = bytes.baseAddress! + starts[partial.first]
    /// What follows the prefix in a word; nil if the word, then a later one, has another.
    func rest(_ index: Int) -> UnsafeRawBufferPointer? {
      let word = UnsafeRawBufferPointer(rebasing: bytes[starts[index]..<starts[index + 1]])
      guard word.count >= partial.length,
        memcmp(word.baseAddress!, prefix, partial.length) == 0
      else { return nil }
      return UnsafeRawBufferPointer(rebasing: word[partial.length...])
    }
    func isBefore(_ index: Int) -> Bool {
      rest(index).map { Self.precedes($0, piece) } ?? false
    }
    // Words that begin alike stand together, so the search widens from the first.
    var (low, high, width) = (partial.first, partial.first, 1)
    while high < order.count, isBefore(high) {
      low = high + 1
      high = min(high + width, order.count)
      width *= 2
    }
    while low < high {
      let middle = (low + high) / 2
      if isBefore(middle) { low = middle + 1 } else { high = middle }
    }
    guard low < order.count, let rest = rest(low), rest.starts(with: piece) else { return nil }
    return low
  }

  private static func precedes(
    _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
  ) -> Bool {
    let common = min(first.count, second.count)
    let sign = common == 0 ? 0 : memcmp(first.baseAddress!, second.baseAddress!, common)
    return sign != 0 ? sign < 0 : first.count < second.count
  }
}
