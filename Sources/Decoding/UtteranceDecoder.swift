import Foundation

/// An utterance that has ended.
public struct DecodedUtterance: Equatable, Sendable {
  public var tokens: [DecodedToken]
  /// Peak of the last token of the utterance before, if any.
  public var previousFrame: Int?
  /// Peak of the first token of the next utterance, if it is known.
  public var nextFrame: Int?
}

/// Searches the frames of one stream and divides them into utterances.
///
/// Frames are taken one by one, so where utterances end does not depend on how the frames were
/// portioned, and the utterances' tokens in a row are those of the whole stream.
public struct UtteranceDecoder: Sendable {
  private let vocabulary: Vocabulary
  private let rules: EndpointRules
  private let frameSeconds: Double
  private var search: CTCGreedySearch
  private var endpointer: Endpointer
  /// Tokens of the current utterance.
  public private(set) var tokens: [DecodedToken] = []
  /// Peak of the last token of the utterance before.
  public private(set) var previousFrame: Int?
  /// Frames taken so far.
  public private(set) var frameCount = 0

  /// - Parameter frameSeconds: seconds per frame.
  public init(vocabulary: Vocabulary, rules: EndpointRules, frameSeconds: Double) {
    self.vocabulary = vocabulary
    self.rules = rules
    self.frameSeconds = frameSeconds
    search = CTCGreedySearch(blank: vocabulary.blank)
    endpointer = Self.makeEndpointer(rules, frameSeconds)
  }

  /// Takes final frames and returns the utterances that ended in them.
  public mutating func advance(_ logProbs: LogProbs) -> [DecodedUtterance] {
    var ended: [DecodedUtterance] = []
    for row in 0..<logProbs.frames {
      let frame = frameCount
      frameCount += 1
      let began = search.advance(logProbs[row], frame: frame, tokens: &tokens)
      if began, let utterance = closeBeforeLastToken() {
        ended.append(utterance)
      }
      if endpointer.isSilenceOver(
        blankLogProb: logProbs[row][vocabulary.blank], hasText: !tokens.isEmpty)
      {
        ended.append(close(nextFrame: nil))
      }
    }
    return ended
  }

  /// The tokens of the current utterance if `logProbs` came next, without taking them.
  public func tokens(lookingAhead logProbs: LogProbs) -> [DecodedToken] {
    var (search, tokens) = (search, tokens)
    for row in 0..<logProbs.frames {
      search.advance(logProbs[row], frame: frameCount + row, tokens: &tokens)
    }
    return tokens
  }

  /// Ends the current utterance at the end of the stream; nil if it has no tokens.
  public mutating func finish() -> DecodedUtterance? {
    tokens.isEmpty ? nil : close(nextFrame: nil)
  }

  /// When the utterance has become too long and the last token starts a word, ends the utterance
  /// before that word.
  private mutating func closeBeforeLastToken() -> DecodedUtterance? {
    guard let last = tokens.last, tokens.count > 1, vocabulary.startsWord(last.id),
      endpointer.isTooLong(from: tokens[0].frame, to: last.frame)
    else { return nil }
    tokens.removeLast()
    let utterance = close(nextFrame: last.frame)
    tokens = [last]
    return utterance
  }

  private mutating func close(nextFrame: Int?) -> DecodedUtterance {
    let utterance = DecodedUtterance(
      tokens: tokens, previousFrame: previousFrame, nextFrame: nextFrame)
    previousFrame = tokens.last?.frame
    tokens = []
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
