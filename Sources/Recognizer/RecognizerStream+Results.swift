import Decoding
import Tensor

// What a stream says of its utterances.
extension RecognizerStream {
  /// - Parameter nextFrame: what the next token's peak is not before, if anything is known.
  func final(
    _ ended: DecodedUtterance, nextFrame: Int?, _ scratch: ScratchArena
  ) -> RecognitionResult {
    observer?.utterance?(ended, utteranceFrames)
    observer?.ended? { [self] in
      alternatives(
        FinalDecoder(model, $0).settle(ended, utteranceFrames, scratch: scratch),
        nextFrame)
    }
    let settled = finalDecoder.settle(ended, utteranceFrames, scratch: scratch)
    let texts = alternatives(settled, nextFrame)
    defer {
      utterance += 1
      lastPartial = nil
      lastFrame = settled[0].tokens.last?.frame ?? lastFrame
      lastEnd = texts[0].words.last?.end ?? lastEnd
    }
    return RecognitionResult(
      kind: .final, utterance: utterance, text: texts[0].text, committed: texts[0].text,
      words: texts[0].words, alternatives: Array(texts.prefix(options.decoding.nBest)))
  }

  /// Different texts, the best first. Tokens that spell the same text count once.
  private func alternatives(_ settled: [SettledText], _ nextFrame: Int?) -> [Alternative] {
    var seen: Set<String> = []
    return settled.compactMap { settled in
      let text = model.vocabulary.text(settled.tokens.map(\.id))
      guard seen.insert(text).inserted else { return nil }
      return Alternative(
        text: text,
        words: words(settled.tokens, nextFrame: nextFrame, frames: decoder.frameCount),
        scores: settled.scores)
    }
  }

  /// The words of an utterance's tokens, none of which begins before the last utterance has ended:
  /// a final pass may find a token earlier than the first pass did.
  private func words(_ tokens: [DecodedToken], nextFrame: Int?, frames: Int) -> [Word] {
    model.wordAssembler.words(
      tokens, previousFrame: lastFrame, nextFrame: nextFrame, duration: heard(frames)
    ).map { word in
      var word = word
      word.start = max(word.start, lastEnd)
      word.end = max(word.end, lastEnd)
      return word
    }
  }

  /// The tokens of an utterance that goes on.
  struct Partial {
    /// With what the look-ahead frames tentatively say.
    let tokens: [DecodedToken]
    let committed: [DecodedToken]
    /// Frames heard, look-ahead included.
    let frames: Int
  }

  /// What the last partial result was made of.
  struct LastPartial {
    var tokens: [Int]
    var committed: [Int]
    var text: String
    var committedText: String
  }

  /// The current utterance as the last chunk has it; nil if nothing has changed.
  func takePartial() -> RecognitionResult? {
    guard let partial else { return nil }
    self.partial = nil
    // A tentative word that has proved none must be taken back.
    guard !partial.tokens.isEmpty || lastPartial != nil else { return nil }
    if let lastPartial, partial.tokens.lazy.map(\.id).elementsEqual(lastPartial.tokens),
      partial.committed.lazy.map(\.id).elementsEqual(lastPartial.committed)
    {
      return nil
    }
    let (tokens, committed) = (partial.tokens.map(\.id), partial.committed.map(\.id))
    let (text, committedText) = (model.vocabulary.text(tokens), model.vocabulary.text(committed))
    let isChanged = text != lastPartial?.text || committedText != lastPartial?.committedText
    lastPartial = LastPartial(
      tokens: tokens, committed: committed, text: text, committedText: committedText)
    guard isChanged else { return nil }
    return RecognitionResult(
      kind: .partial, utterance: utterance, text: text, committed: committedText,
      words: words(partial.tokens, nextFrame: nil, frames: partial.frames))
  }

  /// Seconds of audio that `frames` encoder frames stand for: a matter of the blocks only, not of
  /// how much more audio happens to have been accepted already.
  private func heard(_ frames: Int) -> Double {
    min(duration, Double(frames) * model.frameSeconds)
  }
}
