import Decoding
import Transcripts

/// What a Vosk server answers: one reply for each portion of audio.
///
/// Results that end in the same portion are given one by one with the following replies, or all
/// in one when the client wants its text now.
public struct VoskReplies: Sendable {
  private let config: VoskConfig
  private var finals: [WireUtterance] = []
  private var partial = ""

  public init(_ config: VoskConfig) {
    self.config = config
  }

  /// Takes what the session has said since the last reply.
  public mutating func take(_ utterance: WireUtterance) {
    if utterance.isFinal {
      finals.append(utterance)
      partial = ""
    } else {
      partial = utterance.text
    }
  }

  /// The reply to a portion of audio.
  public mutating func replyToAudio() -> String {
    guard let final = finals.first else {
      return JSONText.object([("partial", .string(partial))]).compact
    }
    finals.removeFirst()
    return result(of: [final])
  }

  /// The reply to `eof` and `reset`: all that is still to say.
  public mutating func lastReply() -> String {
    defer {
      finals = []
      partial = ""
    }
    return result(of: finals)
  }

  /// Vosk has no message for errors; its server only closes. This is one that no client takes for
  /// a result.
  public static func error(_ error: WireError) -> String {
    JSONText.object([("error", .string(error.message))]).compact
  }

  private func result(of utterances: [WireUtterance]) -> String {
    let texts = utterances.map(\.text).filter { !$0.isEmpty }
    let text = texts.joined(separator: " ")
    let words = utterances.flatMap(\.words)
    guard config.maxAlternatives > 0 else {
      let result = config.words && !words.isEmpty ? JSONText.array(words.map(Self.word)) : .null
      return JSONText.members([("result", result), ("text", .string(text))]).compact
    }
    var alternatives = utterances.count == 1 ? utterances[0].alternatives : []
    if alternatives.isEmpty { alternatives = [.init(text: text, words: words)] }
    let listed = alternatives.prefix(config.maxAlternatives).map(json)
    return JSONText.object([("alternatives", .array(listed))]).compact
  }

  private func json(_ alternative: WireUtterance.Alternative) -> JSONText {
    let words = config.words && !alternative.words.isEmpty
    return .members([
      ("confidence", .score(alternative.score ?? 0)),
      ("result", words ? .array(alternative.words.map(Self.untrustedWord)) : .null),
      ("text", .string(alternative.text)),
    ])
  }

  private static func word(_ word: Word) -> JSONText {
    .object([
      ("conf", .number(NumberText.confidence(word.confidence))), ("end", .seconds(word.end)),
      ("start", .seconds(word.start)), ("word", .string(word.word)),
    ])
  }

  /// Words of alternatives have no confidence.
  private static func untrustedWord(_ word: Word) -> JSONText {
    .object([
      ("end", .seconds(word.end)), ("start", .seconds(word.start)), ("word", .string(word.word)),
    ])
  }
}
