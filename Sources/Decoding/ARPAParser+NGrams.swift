import Foundation

/// The lines of n-grams.
extension ARPAParser {
  /// Log10 of the lowest probability: some tools write -99, some -inf.
  private static let lowest = -99.0
  /// Log10 of the highest back-off weight, which may be above 1.
  private static let highestBackOff = 99.0

  mutating func takeGram(
    _ text: UnsafeRawBufferPointer, order: Int, of highest: Int
  ) throws(LanguageModelError) {
    var rest = text[...]
    guard let number = nextField(&rest) else { throw malformed(text, order) }
    let logProb = try value(number, upTo: 0, of: "the log-probability")
    var node = SequenceTrie.root
    for position in 1...order {
      guard let field = nextField(&rest) else { throw malformed(text, order) }
      let word = try word(field, order: order)
      if position == order {
        node = insert(word, after: node)
      } else {
        // The prefix, which pruned models may lack.
        node = trie.child(of: node, word) ?? insert(word, after: node)
      }
    }
    guard logProbs[node].isNaN else { throw fault("'\(printable(text[...]))' comes twice") }
    logProbs[node] = Float(logProb * log(10))
    if let number = nextField(&rest) {
      let backOff = try value(number, upTo: Self.highestBackOff, of: "the back-off weight")
      // Nothing is longer than the highest order.
      if order < highest { backOffs[node] = Float(backOff * log(10)) }
    }
    guard nextField(&rest) == nil else { throw malformed(text, order) }
  }

  private mutating func insert(_ word: Int, after node: Int) -> Int {
    let (child, isNew) = trie.insert(word, after: node)
    if isNew {
      logProbs.append(.nan)
      backOffs.append(0)
    }
    return child
  }

  /// The number of a word, which 1-grams make known.
  private mutating func word(
    _ field: UnsafeRawBufferPointer, order: Int
  ) throws(LanguageModelError) -> Int {
    if order == 1 { return words.insert(field).index }
    guard let word = words.index(of: field) else {
      throw fault("'\(printable(field[...]))' is not among the 1-grams")
    }
    return word
  }

  /// A log10 of at least `lowest`.
  private func value(
    _ field: UnsafeRawBufferPointer, upTo highest: Double, of what: String
  ) throws(LanguageModelError) -> Double {
    if let value = decimal(field) {
      guard value <= highest else {
        throw fault("\(what) is \(value), expected a log10 of at most \(Int(highest))")
      }
      return max(value, Self.lowest)
    }
    let text = printable(field[...])
    guard text.lowercased() == "-inf" else {
      throw fault("\(what) is '\(text)', expected a number")
    }
    return Self.lowest
  }

  private func malformed(_ text: UnsafeRawBufferPointer, _ order: Int) -> LanguageModelError {
    fault(
      "expected a log-probability, \(order) word\(order == 1 ? "" : "s") and optionally a back-off "
        + "weight, found '\(printable(text[...]))'")
  }

  /// Takes the next field off `rest`; nil at the end.
  private func nextField(_ rest: inout Slice<UnsafeRawBufferPointer>) -> UnsafeRawBufferPointer? {
    var start = rest.startIndex
    while start < rest.endIndex, isBlank(rest.base[start]) { start += 1 }
    guard start < rest.endIndex else { return nil }
    var end = start
    while end < rest.endIndex, !isBlank(rest.base[end]) { end += 1 }
    let field = UnsafeRawBufferPointer(rebasing: rest.base[start..<end])
    rest = rest[end...]
    return field
  }

  func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

  /// The beginning of a text, for messages.
  func printable(_ text: Slice<UnsafeRawBufferPointer>) -> String {
    let shown = String(decoding: text.prefix(80), as: UTF8.self).unicodeScalars.map {
      $0.properties.generalCategory == .control ? "\u{FFFD}" : $0
    }
    return String(String.UnicodeScalarView(shown)) + (text.count > 80 ? "…" : "")
  }
}
