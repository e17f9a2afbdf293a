import Decoding
import Transcripts

extension NativeOptions {
  /// The line that opens a session with these options, the line end included.
  public var line: String {
    let opening: [(String, JSONText)] = [("protocol", .string("starling")), ("version", .int(1))]
    let secrets: [(String, JSONText)] = [
      ("resume", .text(resume)), ("next_utterance", .int(nextUtterance)), ("token", .text(token)),
    ]
    return JSONText.members(opening + described + secrets).compact + "\n"
  }

  /// All that concerns recognition: the tokens are left out.
  var described: [(String, JSONText)] {
    [
      ("encoding", .string(encoding.rawValue)),
      ("sample_rate", .int(sampleRate)),
      ("channels", .int(channels)),
      ("framing", .string(framing.rawValue)),
      ("latency", .text(latency)),
      ("final_pass", .text(finalPass)),
      ("partials", .bool(partials)),
      ("partial_interval_ms", .int(partialInterval)),
      ("stable", .bool(isStable)),
      ("n_best", .int(nBest)),
      ("hot_words", .array(hotWords.map(Self.json))),
      ("endpoint", endpoint.json),
      ("lm_weight", .real(languageModelWeight)),
      ("resumable", .bool(isResumable)),
    ]
  }

  private static func json(_ word: HotWord) -> JSONText {
    .members([("phrase", .string(word.phrase)), ("boost", .real(word.boost))])
  }
}

extension NativeOptions.Endpoint {
  fileprivate var json: JSONText {
    .members([
      ("silence", Self.json(silence)), ("no_text", Self.json(noText)),
      ("longest", Self.json(longest)),
    ])
  }

  private static func json(_ time: Time?) -> JSONText {
    switch time {
    case nil: .null
    case .never: .string("never")
    case .seconds(let seconds): .real(seconds)
    }
  }
}
