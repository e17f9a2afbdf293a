/// An alignment as two rows of words, one above the other.
struct AlignmentLayout {
  /// Columns of a line at most; a longer word makes a longer line.
  let width: Int
  let isColored: Bool

  func text(_ utterance: ScoredUtterance, _ tokens: TokenTable) -> String {
    let words = utterance.words
    var text =
      "\(utterance.reference.id): WER \(Figures.percent(words.errorRate)) % "
      + "(\(words.substitutions) sub, \(words.deletions) del, \(words.insertions) ins)"
      + (utterance.hypothesis == nil ? ", missing" : "") + "\n"
    var reference = "ref "
    var hypothesis = "hyp "
    var column = 4
    for step in utterance.steps(tokens) {
      let (r, h) = (step.reference ?? "***", step.hypothesis ?? "***")
      let cell = max(Self.columns(r), Self.columns(h))
      if column > 4, column + cell > width {
        text += reference + "\n" + hypothesis + "\n\n"
        (reference, hypothesis, column) = ("ref ", "hyp ", 4)
      }
      reference += painted(r, step.operation, cell) + " "
      hypothesis += painted(h, step.operation, cell) + " "
      column += cell + 1
    }
    return text + reference + "\n" + hypothesis + "\n"
  }

  private func painted(_ word: String, _ operation: EditOperation, _ cell: Int) -> String {
    let pad = String(repeating: " ", count: cell - Self.columns(word))
    guard operation != .match else { return word + pad }
    // Without colour, capitals tell, as in sclite's listings.
    guard isColored else { return word.uppercased() + pad }
    let code =
      switch operation {
      case .substitution: 33
      case .deletion: 31
      case .insertion, .match: 36
      }
    return "\u{1B}[\(code)m\(word)\u{1B}[0m\(pad)"
  }

  /// Columns of a terminal: two for the wide characters of East Asia.
  private static func columns(_ word: String) -> Int {
    word.reduce(0) { sum, character in
      let value = character.unicodeScalars.first!.value
      let isWide =
        (0x1100...0x115F).contains(value) || (0x2E80...0xA4CF).contains(value)
        || (0xAC00...0xD7A3).contains(value) || (0xF900...0xFAFF).contains(value)
        || (0xFE30...0xFE6F).contains(value) || (0xFF00...0xFF60).contains(value)
        || (0x1F300...0x1FAFF).contains(value) || (0x20000...0x3FFFD).contains(value)
      return sum + (isWide ? 2 : 1)
    }
  }
}
