/// An n-gram language model over words, whatever pieces spell them.
///
/// A word earns its score when the next word starts or the utterance ends. A word that the model
/// does not list earns the score of <unk>. A lone word-start mark is no word.
public struct WordLanguageBias: TokenBias, SequenceLanguageModel {
  /// Score of an unlisted word where the model has no <unk>, in nats.
  public static let unknownLogProb = -16.0

  private let model: NGramModel
  private let speller: WordSpeller
  private let startsWord: [Bool]
  /// UTF-8 of each class, in the case of the model's words.
  private let pieces: [[UInt8]]
  /// What each class spells at the start of a word.
  private let openings: [WordSpeller.Partial]

  /// At least half of the model's words must consist of characters that the vocabulary has.
  public init(_ model: NGramModel, vocabulary: Vocabulary) throws(LanguageModelError) {
    let listed = (0..<model.wordCount).filter { !model.isControl($0) }
    guard listed.count <= WordSpeller.wordLimit else {
      throw LanguageModelError(
        file: model.file,
        reason: "has \(listed.count) words; at most \(WordSpeller.wordLimit) are possible")
    }
    let letters = LetterCase(of: listed.lazy.map { model.text(of: $0) })
    let texts = (0..<vocabulary.count).map { letters.apply(vocabulary.piece($0)) }
    try Self.check(listed, of: model, characters: Set(texts.joined()))
    self.model = model
    speller = WordSpeller(model.words, listed: listed)
    startsWord = (0..<vocabulary.count).map(vocabulary.startsWord)
    pieces = texts.map { Array($0.utf8) }
    openings = pieces.map { [speller] in speller.append($0, to: .none) }
  }

  public var start: Int { pack(model.sentenceStart, .none) }

  public func step(_ state: Int, token: Int) -> (state: Int, score: Double) {
    let (context, partial) = unpack(state)
    guard startsWord[token] else {
      return (pack(context, speller.append(pieces[token], to: partial)), 0)
    }
    let (next, score) = end(partial, context)
    return (pack(next, openings[token]), score)
  }

  public func finish(_ state: Int) -> Double {
    let (context, partial) = unpack(state)
    let (next, score) = end(partial, context)
    return score + model.endLogProb(after: next)
  }

  /// The context after the word that `partial` is, and its score.
  private func end(
    _ partial: WordSpeller.Partial, _ context: Int
  ) -> (context: Int, score: Double) {
    if partial == .none { return (context, 0) }
    guard let word = speller.word(partial) ?? model.unknown else {
      return (SequenceTrie.root, Self.unknownLogProb)
    }
    let (next, logProb) = model.score(word, after: context)
    return (next, logProb)
  }

  /// 32 bits of context, 23 of the first word, 8 of the length.
  private func pack(_ context: Int, _ partial: WordSpeller.Partial) -> Int {
    context << 31 | partial.first << 8 | partial.length
  }

  private func unpack(_ state: Int) -> (context: Int, partial: WordSpeller.Partial) {
    let first = state >> 8 & WordSpeller.wordLimit
    return (state >> 31, WordSpeller.Partial(first: first, length: state & 0xFF))
  }

  private static func check(
    _ listed: [Int], of model: NGramModel, characters: Set<Character>
  ) throws(LanguageModelError) {
    guard !model.isOverPieces else {
      throw LanguageModelError(
        file: model.file, reason: "is over pieces (its words have ▁); use it at token level")
    }
    let strange = listed.filter { !model.text(of: $0).allSatisfy(characters.contains) }
    guard strange.count * 2 <= listed.count else {
      let examples = strange.prefix(5).map { model.text(of: $0) }
      throw LanguageModelError(
        file: model.file,
        reason: "has \(strange.count) of \(listed.count) words that the model's pieces cannot "
          + "spell, such as \(TokenLanguageBias.list(examples))")
    }
  }
}
