import Foundation

/// Puts tokens together to words with times and confidence.
public struct WordAssembler: Sendable {
  private let vocabulary: Vocabulary
  /// Seconds per encoder frame.
  private let frameSeconds: Double
  private let calibration: ConfidenceCalibration
  /// A token reaches at most this far from its peak, in seconds.
  private static let reach = 0.5

  public init(
    vocabulary: Vocabulary, frameSeconds: Double,
    calibration: ConfidenceCalibration = ConfidenceCalibration()
  ) {
    self.vocabulary = vocabulary
    self.frameSeconds = frameSeconds
    self.calibration = calibration
  }

  /// The words of consecutive tokens.
  ///
  /// A token spans from the midpoint between its peak and the one before to the midpoint with the
  /// one after, but never more than half a second from its own peak. A word spans its tokens; its
  /// confidence is the geometric mean of their probabilities, calibrated.
  ///
  /// - Parameters:
  ///   - previousFrame: peak of the token before the first, if any.
  ///   - nextFrame: peak of the token after the last, if it is known.
  ///   - duration: seconds of audio so far; no word ends later.
  public func words(
    _ tokens: [DecodedToken], previousFrame: Int? = nil, nextFrame: Int? = nil, duration: Double
  ) -> [Word] {
    var words: [Word] = []
    var logProbs = 0.0
    var pieces = 0
    for (index, token) in tokens.enumerated() {
      let before = index > 0 ? tokens[index - 1].frame : previousFrame
      let after = index + 1 < tokens.count ? tokens[index + 1].frame : nextFrame
      let (start, end) = span(token.frame, before: before, after: after, duration: duration)
      let piece = vocabulary.piece(token.id)
      if words.isEmpty || vocabulary.startsWord(token.id) {
        words.append(Word(word: piece, start: start, end: end, confidence: 0))
        (logProbs, pieces) = (0, 0)
      } else {
        words[words.count - 1].word += piece
        words[words.count - 1].end = end
      }
      logProbs += Double(token.logProb)
      pieces += 1
      words[words.count - 1].confidence = calibration.confidence(
        min(1, exp(logProbs / Double(pieces))))
    }
    // A lone word-start mark is no word.
    return words.filter { !$0.word.isEmpty }
  }

  /// Where tokens that peak at the frames `peaks` begin and end, by the rule of `words`.
  func spans(peaks: [Int], duration: Double) -> [(start: Double, end: Double)] {
    peaks.indices.map { index in
      span(
        peaks[index], before: index > 0 ? peaks[index - 1] : nil,
        after: index + 1 < peaks.count ? peaks[index + 1] : nil, duration: duration)
    }
  }

  private func span(
    _ frame: Int, before: Int?, after: Int?, duration: Double
  ) -> (start: Double, end: Double) {
    let peak = Double(frame) * frameSeconds
    var start = max(0, peak - Self.reach)
    var end = min(duration, peak + Self.reach)
    if let before { start = max(start, Double(before + frame) / 2 * frameSeconds) }
    if let after { end = min(end, Double(frame + after) / 2 * frameSeconds) }
    return (min(start, end), end)
  }
}
