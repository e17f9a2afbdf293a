import Foundation

/// An utterance that has ended.
public struct DecodedUtterance: Equatable, Sendable {
  /// Frames of the stream that belong to it; if `isSilence`, the silence that ended it. The second
  /// half of a silence also belongs to the utterance after it, whose first word may begin there.
  public var frames: Range<Int>
  /// Tokens of the first pass: the best of the beam search if there is one.
  public var tokens: [DecodedToken]
  /// Tokens of greedy search.
  public var greedyTokens: [DecodedToken]
  /// What else a beam search held possible, the best first; empty after greedy search.
  public var hypotheses: [Hypothesis] = []
  /// Nats between the best two hypotheses; infinite if there is one.
  public var margin = Double.infinity
  /// Peak of the first token of the next utterance, if it is known.
  public var nextFrame: Int?
  /// Whether it ended for a silence in which no search heard any text.
  public var isSilence = false
}

/// Searches the frames of one stream and divides them into utterances.
///
/// Frames are taken one by one, so where utterances end does not depend on how the frames were
/// portioned. Greedy search decides where they end; a beam search, if there is one, what they say.
/// With greedy search alone the utterances' tokens in a row are those of the whole stream.
/// An utterance of silence only tells that time has passed: the searches go on as if it had not
/// been, so it can cut no onset.
public struct UtteranceDecoder: Sendable {
  private let vocabulary: Vocabulary
  private var search: CTCGreedySearch
  private var beam: CTCPrefixBeamSearch?
  private var endpointer: Endpointer
  /// Greedy tokens of the current utterance.
  private var greedyTokens: [DecodedToken] = []
  /// Room for as many is there before an utterance begins: half a minute of fast speech.
  private static let usualTokens = 256
  /// First frame of the current utterance.
  private var firstFrame = 0
  /// Frames taken so far.
  public private(set) var frameCount = 0

  /// - Parameters:
  ///   - frameSeconds: seconds per frame.
  ///   - beam: a beam search before its first frame; nil for greedy search.
  public init(
    vocabulary: Vocabulary, rules: EndpointRules, frameSeconds: Double,
    beam: CTCPrefixBeamSearch? = nil
  ) {
    self.vocabulary = vocabulary
    self.beam = beam
    search = CTCGreedySearch(blank: vocabulary.blank)
    greedyTokens.reserveCapacity(Self.usualTokens)
    endpointer = Endpointer(
      rules, frameSeconds: frameSeconds,
      logThreshold: log(max(rules.blankThreshold, .leastNormalMagnitude)))
  }

  /// Tokens of the current utterance that will not be taken back: all of a greedy search, those
  /// that a beam's hypotheses share.
  public var tokens: [DecodedToken] { beam?.commonPrefix() ?? greedyTokens }

  /// First frame that the current utterance may need: where it began or `preRoll` frames before
  /// its first token, whatever is later.
  public func firstFrameNeeded(preRoll: Int) -> Int {
    let first = greedyTokens.first?.frame ?? frameCount
    return max(firstFrame, first - preRoll)
  }

  /// Takes final frames and returns the utterances that ended in them.
  ///
  /// - Parameter isSilent: whether a frame of the stream is silent; nil to judge by its blank.
  public mutating func advance(
    _ logProbs: LogProbs, isSilent: ((Int) -> Bool)? = nil
  ) -> [DecodedUtterance] {
    var ended: [DecodedUtterance] = []
    for row in 0..<logProbs.frames {
      let frame = frameCount
      let began = search.advance(logProbs[row], frame: frame, tokens: &greedyTokens)
      if began, let utterance = closeBeforeLastToken() {
        ended.append(utterance)
      }
      beam?.advance(logProbs[row])
      frameCount += 1
      let silent =
        isSilent?(frame) ?? endpointer.isBlank(logProbs[row][vocabulary.blank])
      // Where a token begins is no silence, whatever a detector of speech makes of it.
      if endpointer.isSilenceOver(isSilent: silent && !began, hasText: !greedyTokens.isEmpty) {
        ended.append(endSilence())
      }
    }
    return ended
  }

  /// The tokens of the current utterance if `logProbs` came next, without taking them. With greedy
  /// search `tokens` is filled in place.
  public func readTokens(lookingAhead logProbs: LogProbs, into tokens: inout [DecodedToken]) {
    if var beam {
      beam.advance(logProbs)
      tokens = beam.bestTokens
      return
    }
    var search = search
    tokens.removeAll(keepingCapacity: true)
    tokens.reserveCapacity(greedyTokens.capacity)
    tokens.append(contentsOf: greedyTokens)
    for row in 0..<logProbs.frames {
      search.advance(logProbs[row], frame: frameCount + row, tokens: &tokens)
    }
  }

  /// Ends the current utterance at the end of the stream; nil if it has no tokens.
  public mutating func finish() -> DecodedUtterance? {
    hasText ? close(at: frameCount, next: frameCount) : nil
  }

  /// When the utterance has become too long and the last token starts a word, ends the utterance
  /// before that word.
  private mutating func closeBeforeLastToken() -> DecodedUtterance? {
    guard let last = greedyTokens.last, greedyTokens.count > 1, vocabulary.startsWord(last.id),
      endpointer.isTooLong(from: greedyTokens[0].frame, to: last.frame)
    else { return nil }
    greedyTokens.removeLast()
    // The token's peak is after the onset of its word.
    let middle = (greedyTokens[greedyTokens.count - 1].frame + last.frame + 1) / 2
    let utterance = close(at: middle, next: middle, nextFrame: last.frame)
    greedyTokens = [last]
    return utterance
  }

  private var hasText: Bool { !greedyTokens.isEmpty || beam?.bestTokens.isEmpty == false }

  private mutating func endSilence() -> DecodedUtterance {
    let frames = endpointer.silentFrames
    endpointer.reset()
    guard hasText else {
      return DecodedUtterance(
        frames: frameCount - frames..<frameCount, tokens: [], greedyTokens: [], isSilence: true)
    }
    return close(at: frameCount, next: frameCount - frames / 2)
  }

  /// - Parameters:
  ///   - end: where the utterance ends.
  ///   - next: where the next one begins.
  private mutating func close(
    at end: Int, next: Int, nextFrame: Int? = nil
  ) -> DecodedUtterance {
    var utterance = DecodedUtterance(
      frames: firstFrame..<end, tokens: greedyTokens, greedyTokens: greedyTokens,
      nextFrame: nextFrame)
    if let beam {
      utterance.hypotheses = beam.nBest(isEnd: true)
      utterance.tokens = utterance.hypotheses[0].tokens
      utterance.margin = beam.margin
    }
    beam?.reset()
    firstFrame = next
    greedyTokens = []
    greedyTokens.reserveCapacity(Self.usualTokens)
    endpointer.reset()
    return utterance
  }
}
