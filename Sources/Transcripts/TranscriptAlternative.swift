import Decoding

/// One of the texts that an utterance may have had.
public struct TranscriptAlternative: Equatable, Sendable {
  public var text: String
  /// The words of `text`, times in seconds from the start of the audio.
  public var words: [Word]
  /// nil where the search weighs nothing.
  public var scores: HypothesisScores?

  /// - Parameter words: times in seconds from the start of the audio.
  public init(text: String, words: [Word], scores: HypothesisScores?) {
    self.text = text
    self.words = words
    self.scores = scores
  }

  /// Keys in this order: text, scores, words.
  var json: JSONText {
    var members: [(String, JSONText)] = [("text", .string(text))]
    if let scores { members.append(("scores", scores.json)) }
    return .object(members + [("words", .words(words))])
  }
}

extension HypothesisScores {
  /// Scores that were not asked for have no key.
  fileprivate var json: JSONText {
    let named: [(String, Double?)] =
      [("total", total), ("ctc", ctc), ("attention", attention)]
      + [("reverse_attention", reverseAttention), ("tokens", Double(tokenCount))]
      + biases.map { ($0.name, $0.score) }
      + [("rescoring_language_model", rescoringLanguageModel)]
    return .object(named.compactMap { name, score in score.map { (name, .score($0)) } })
  }
}

extension JSONText {
  /// A number in nats.
  fileprivate static func score(_ value: Double) -> JSONText {
    .number(NumberText.score(value))
  }

  /// The member of an object that is left out where nobody asked for alternatives.
  static func alternatives(
    _ alternatives: [TranscriptAlternative]
  ) -> [(String, JSONText)] {
    alternatives.isEmpty ? [] : [("alternatives", .array(alternatives.map(\.json)))]
  }
}
