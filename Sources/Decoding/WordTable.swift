import Foundation

/// Different words, numbered in the order in which they came. Their bytes lie in one array, so
/// that hundreds of thousands cost little and are found without making strings.
struct WordTable: Sendable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = [0]
  /// Open addressing; -1 is an empty slot.
  private var slots: [Int32] = Array(repeating: -1, count: 16)

  init() {}

  var count: Int { ends.count - 1 }

  /// UTF-8 of a word.
  subscript(word: Int) -> ArraySlice<UInt8> { bytes[ends[word]..<ends[word + 1]] }

  func length(_ word: Int) -> Int { ends[word + 1] - ends[word] }

  func text(_ word: Int) -> String { String(decoding: self[word], as: UTF8.self) }

  /// Calls `body` with a function that gives the UTF-8 of words.
  func withUnsafeBytes<Result>(
    _ body: ((Int) -> UnsafeRawBufferPointer) -> Result
  ) -> Result {
    bytes.withUnsafeBytes { all in
      body { UnsafeRawBufferPointer(rebasing: all[ends[$0]..<ends[$0 + 1]]) }
    }
  }

  func index(of text: String) -> Int? {
    var text = text
    return text.withUTF8 { index(of: UnsafeRawBufferPointer($0)) }
  }

  func index(of word: UnsafeRawBufferPointer) -> Int? {
    let found = slots[slot(word)]
    return found < 0 ? nil : Int(found)
  }

  /// The number of `word`, which is added if it is missing.
  mutating func insert(_ word: UnsafeRawBufferPointer) -> (index: Int, isNew: Bool) {
    if (count + 1) * 3 > slots.count * 2 { grow() }
    let place = slot(word)
    if slots[place] >= 0 { return (Int(slots[place]), false) }
    slots[place] = Int32(count)
    bytes.append(contentsOf: word)
    ends.append(bytes.count)
    return (count - 1, true)
  }

  /// Where `word` is, or where it would be put.
  private func slot(_ word: UnsafeRawBufferPointer) -> Int {
    var place = Self.hash(word) & (slots.count - 1)
    while slots[place] >= 0, !equals(Int(slots[place]), word) {
      place = (place + 1) & (slots.count - 1)
    }
    return place
  }

  private func equals(_ index: Int, _ word: UnsafeRawBufferPointer) -> Bool {
    guard length(index) == word.count else { return false }
    return bytes.withUnsafeBytes {
      memcmp($0.baseAddress! + ends[index], word.baseAddress!, word.count) == 0
    }
  }

  private mutating func grow() {
    slots = Array(repeating: -1, count: slots.count * 2)
    bytes.withUnsafeBytes { all in
      for index in 0..<count {
        let word = UnsafeRawBufferPointer(rebasing: all[ends[index]..<ends[index + 1]])
        var place = Self.hash(word) & (slots.count - 1)
        while slots[place] >= 0 { place = (place + 1) & (slots.count - 1) }
        slots[place] = Int32(index)
      }
    }
  }

  /// FNV-1a, its high bits folded down.
  private static func hash(_ word: UnsafeRawBufferPointer) -> Int {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in word { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    return Int(truncatingIfNeeded: hash ^ hash >> 32)
  }
}
