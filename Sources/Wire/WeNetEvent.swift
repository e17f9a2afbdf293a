import Decoding
import Transcripts

/// What a WeNet server says.
public enum WeNetEvent: Equatable, Sendable {
  case serverReady
  /// A partial or final result.
  /// - Parameter nBest: texts at most.
  case result(WireUtterance, nBest: Int)
  /// All is said.
  case speechEnd
  /// The server closes after it.
  case failed(WireError)

  /// The event as the text of one message.
  public var text: String {
    switch self {
    case .serverReady: Self.ok("server_ready")
    case .result(let utterance, let nBest):
      Self.ok(
        utterance.isFinal ? "final_result" : "partial_result",
        [("nbest", .string(utterance.nBestList(nBest).compact))])
    case .speechEnd: Self.ok("speech_end")
    case .failed(let error):
      JSONText.object([("status", .string("failed")), ("message", .string(error.message))]).compact
    }
  }

  private static func ok(_ type: String, _ members: [(String, JSONText)] = []) -> String {
    JSONText.object([("status", .string("ok")), ("type", .string(type))] + members).compact
  }
}

extension WireUtterance {
  /// The list that WeNet sends as a text within its message. Only final results have words.
  fileprivate func nBestList(_ count: Int) -> JSONText {
    let own = Alternative(text: text, words: words)
    let listed = isFinal && !alternatives.isEmpty ? alternatives : [own]
    return .array(
      listed.prefix(max(1, count)).map { alternative in
        .members([
          ("sentence", .string(alternative.text)),
          ("word_pieces", isFinal ? .array(alternative.words.map(Self.piece)) : .null),
        ])
      })
  }

  private static func piece(_ word: Word) -> JSONText {
    .object([
      ("word", .string(word.word)), ("start", .int(NumberText.milliseconds(word.start))),
      ("end", .int(NumberText.milliseconds(word.end))),
    ])
  }
}
