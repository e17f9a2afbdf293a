/// Text for protocols that cannot take words back: only what the committed part has grown by.
///
/// The texts of the utterances are joined by a space. Should a final text not go on where the
/// committed one stood, what was said stays said, and only the words beyond as many are added;
/// such protocols send the whole text at their end.
public struct CommittedText: Sendable {
  /// All that was given out.
  public private(set) var text = ""
  private var utterance = -1
  /// What was given out of `utterance`, without the space before it.
  private var said = ""

  public init() {}

  /// What `utterance` adds to the text; nil if nothing.
  public mutating func growth(of utterance: WireUtterance) -> String? {
    if utterance.index != self.utterance {
      self.utterance = utterance.index
      said = ""
    }
    let new = addition(utterance.isFinal ? utterance.text : utterance.committed, utterance.isFinal)
    guard !new.isEmpty else { return nil }
    let space = said.isEmpty && !text.isEmpty ? " " : ""
    said += new
    text += space + new
    return space + new
  }

  /// Compared by scalars: as characters, an accent that follows would change the last one.
  private func addition(_ whole: String, _ isFinal: Bool) -> String {
    let scalars = whole.unicodeScalars
    if scalars.starts(with: said.unicodeScalars) {
      return String(scalars.dropFirst(said.unicodeScalars.count))
    }
    guard isFinal else { return "" }
    let words = whole.split(separator: " ").dropFirst(said.split(separator: " ").count)
    return words.map { " " + $0 }.joined()
  }
}
