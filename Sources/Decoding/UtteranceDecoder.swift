import Foundation

/// An utterance that has ended.
public struct DecodedUtterance: Equatable, Sendable {
  /// Frames of the stream that belong to it: from the end of the utterance before.
  public var frames: Range<Int>
  /// Tokens of the first pass: the best of the beam search if there is one.
  public var tokens: [DecodedToken]
  /// Tokens of greedy search.
  public var greedyTokens: [DecodedToken]
  /// What else a beam search held possible, the best first; empty after greedy search.
  public var hypotheses: [Hypothesis] = []
  /// Nats between the best two hypotheses; infinite if there is one.
  public var margin = Double.infinity
  /// Peak of the last token of the utterance before, if any.
  public var previousFrame: Int?
  /// Peak of the first token of the next utterance, if it is known.
  public var nextFrame: Int?
}

/// Searches the frames of one stream and divides them into utterances.
///
/// Frames are taken one by one, so where utterances end does not depend on how the frames were
/// portioned. Greedy search decides where they end; a beam search, if there is one, what they say.
/// With greedy search alone the utterances' tokens in a row are those of the whole stream.
public struct UtteranceDecoder: Sendable {
  private let vocabulary: Vocabulary
  private let rules: EndpointRules
  private let frameSeconds: Double
  private var search: CTCGreedySearch
  private var beam: CTCPrefixBeamSearch?
  private var endpointer: Endpointer
  /// Greedy tokens of the current utterance.
  private var greedyTokens: [DecodedToken] = []
  /// First frame of the current utterance.
  private var firstFrame = 0
  /// Peak of the last token of the utterance before.
  public private(set) var previousFrame: Int?
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
    self.rules = rules
    self.frameSeconds = frameSeconds
    self.beam = beam
    search = CTCGreedySearch(blank: vocabulary.blank)
    endpointer = Self.makeEndpointer(rules, frameSeconds)
  }

  /// Tokens of the current utterance that will not be taken back: all of a greedy search, those
  /// that a beam's hypotheses share.
  public var tokens: [DecodedToken] { beam?.commonPrefix() ?? greedyTokens }

  /// First frame that the current utterance may need: where it began or, while it has no text,
  /// `preRoll` frames ago.
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
      if endpointer.isSilenceOver(isSilent: silent, hasText: !greedyTokens.isEmpty) {
        ended.append(close(nextFrame: nil))
      }
    }
    return ended
  }

  /// The tokens of the current utterance if `logProbs` came next, without taking them.
  public func tokens(lookingAhead logProbs: LogProbs) -> [DecodedToken] {
    if var beam {
      beam.advance(logProbs)
      return beam.bestTokens
    }
    var (search, tokens) = (search, greedyTokens)
    for row in 0..<logProbs.frames {
      search.advance(logProbs[row], frame: frameCount + row, tokens: &tokens)
    }
    return tokens
  }

  /// Ends the current utterance at the end of the stream; nil if it has no tokens.
  public mutating func finish() -> DecodedUtterance? {
    greedyTokens.isEmpty && (beam?.bestTokens ?? []).isEmpty ? nil : close(nextFrame: nil)
  }

  /// When the utterance has become too long and the last token starts a word, ends the utterance
  /// before that word.
  private mutating func closeBeforeLastToken() -> DecodedUtterance? {
    guard let last = greedyTokens.last, greedyTokens.count > 1, vocabulary.startsWord(last.id),
      endpointer.isTooLong(from: greedyTokens[0].frame, to: last.frame)
    else { return nil }
    greedyTokens.removeLast()
    let utterance = close(nextFrame: last.frame)
    greedyTokens = [last]
    return utterance
  }

  private mutating func close(nextFrame: Int?) -> DecodedUtterance {
    var utterance = DecodedUtterance(
      frames: firstFrame..<frameCount, tokens: greedyTokens, greedyTokens: greedyTokens,
      previousFrame: previousFrame, nextFrame: nextFrame)
    if let beam {
      utterance.hypotheses = beam.nBest(isEnd: true)
      utterance.tokens = utterance.hypotheses[0].tokens
      utterance.margin = beam.margin
    }
    beam?.reset()
    previousFrame = utterance.tokens.last?.frame ?? previousFrame
    firstFrame = frameCount
    greedyTokens = []
    endpointer = Self.makeEndpointer(rules, frameSeconds)
    return utterance
  }

  private static func makeEndpointer(
    _ rules: EndpointRules, _ frameSeconds: Double
  ) -> Endpointer {
    Endpointer(
      rules, frameSeconds: frameSeconds,
      logThreshold: log(max(rules.blankThreshold, .leastNormalMagnitude)))
  }
}
