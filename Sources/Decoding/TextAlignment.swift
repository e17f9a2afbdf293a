/// A given text at its place in the audio.
public struct TextAlignment: Equatable, Sendable {
  /// A token with its times.
  public struct TimedToken: Equatable, Sendable {
    /// Its piece, without the mark of a word's start.
    public var text: String
    /// Seconds from the start of the audio.
    public var start: Double
    /// Seconds from the start of the audio; never before `start`.
    public var end: Double
    /// Mean of its probabilities over its frames, 0…1.
    public var confidence: Double
  }

  /// The words of each line of the text that has any, as the text writes them. The confidence of a
  /// word is the mean of its tokens' probabilities over their frames.
  public let lines: [[Word]]
  public let tokens: [TimedToken]

  public var words: [Word] { lines.flatMap { $0 } }

  /// Gives tokens and words times by the rule of `WordAssembler`.
  ///
  /// - Parameters:
  ///   - aligned: the tokens of `text`, placed.
  ///   - duration: seconds of audio; nothing ends later.
  public init(
    _ text: SpelledText, aligned: [AlignedToken], vocabulary: Vocabulary,
    assembler: WordAssembler, duration: Double
  ) {
    precondition(aligned.map(\.id) == text.tokens)
    let spans = assembler.spans(peaks: aligned.map(\.frames.lowerBound), duration: duration)
    tokens = zip(aligned, spans).map { token, span in
      TimedToken(
        text: vocabulary.piece(token.id), start: span.start, end: span.end,
        confidence: min(1, token.posterior))
    }
    var lines: [[Word]] = []
    var line = 0
    var next = 0
    for word in text.words {
      let own = next..<next + word.tokens.count
      next = own.upperBound
      let frames = aligned[own].reduce(0) { $0 + $1.frames.count }
      let posteriors = aligned[own].reduce(0) { $0 + $1.posterior * Double($1.frames.count) }
      if word.line != line { lines.append([]) }
      line = word.line
      lines[lines.count - 1].append(
        Word(
          word: word.text, start: spans[own.lowerBound].start,
          end: spans[own.upperBound - 1].end, confidence: min(1, posteriors / Double(frames))))
    }
    self.lines = lines
  }
}
