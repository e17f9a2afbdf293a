/// An n-gram language model over the pieces of a vocabulary.
public struct TokenLanguageBias: TokenBias, SequenceLanguageModel {
  private let model: NGramModel
  /// The model's word for each class.
  private let words: [Int]

  /// Every word of the model must be a piece of the vocabulary, and every piece a word of the model
  /// unless the model has <unk>.
  public init(_ model: NGramModel, vocabulary: Vocabulary) throws(LanguageModelError) {
    var words: [Int] = []
    var missing: [String] = []
    var isPiece = Array(repeating: false, count: model.wordCount)
    for id in 0..<vocabulary.count {
      let piece = vocabulary.markedPiece(id)
      let word = id == vocabulary.blank ? nil : model.word(piece)
      if let word { isPiece[word] = true }
      if word == nil, model.unknown == nil, !vocabulary.isControl(id) { missing.append(piece) }
      // The blank and other symbols are in no hypothesis.
      words.append(word ?? model.unknown ?? 0)
    }
    let strange = (0..<model.wordCount).filter { !isPiece[$0] && !model.isControl($0) }
    guard strange.isEmpty else {
      let examples = strange.prefix(5).map { model.text(of: $0) }
      throw LanguageModelError(
        file: model.file,
        reason: "is not over this model's pieces: \(strange.count) of its \(model.wordCount) words "
          + "are none, such as \(Self.list(examples))")
    }
    guard missing.isEmpty else {
      throw LanguageModelError(
        file: model.file,
        reason: "lacks \(missing.count) of the \(vocabulary.count - 1) pieces and has no <unk>, "
          + "such as \(Self.list(Array(missing.prefix(5))))")
    }
    self.model = model
    self.words = words
  }

  public var start: Int { model.sentenceStart }

  public func step(_ state: Int, token: Int) -> (state: Int, score: Double) {
    let (context, logProb) = model.score(words[token], after: state)
    return (context, logProb)
  }

  public func finish(_ state: Int) -> Double { model.endLogProb(after: state) }

  static func list(_ examples: [String]) -> String {
    examples.map { "'\($0)'" }.joined(separator: ", ")
  }
}
