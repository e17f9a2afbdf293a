import Decoding
import Transcripts

/// The answer to a transcription request.
public struct TranscriptionResponse: Equatable, Sendable {
  /// Finished utterances, in order.
  public var utterances: [WireUtterance]
  /// Seconds of audio.
  public var duration: Double
  /// The language that the model knows: `english`.
  public var language: String

  public init(utterances: [WireUtterance], duration: Double, language: String) {
    self.utterances = utterances
    self.duration = duration
    self.language = language
  }

  /// The whole text.
  public var text: String { transcript.text }

  /// The header of the answer.
  public static func contentType(_ format: TranscriptionRequest.Format) -> String {
    switch format {
    case .json, .verboseJSON: "application/json"
    case .vtt: "text/vtt; charset=utf-8"
    case .text, .srt: "text/plain; charset=utf-8"
    }
  }

  /// The body of the answer.
  public func body(for request: TranscriptionRequest) -> String {
    switch request.format {
    case .json:
      JSONText.members([
        ("text", .string(text)), ("logprobs", request.wantsLogProbs ? logProbs : .null),
        ("usage", usage),
      ]).compact
    case .verboseJSON: verbose(request.granularities).compact
    case .text: TranscriptFormat.text.render(transcript)
    case .srt: TranscriptFormat.srt.render(transcript)
    case .vtt: TranscriptFormat.vtt.render(transcript)
    }
  }

  private var transcript: Transcript {
    Transcript(
      file: "", duration: duration,
      segments: utterances.map {
        TranscriptSegment(text: $0.text, start: $0.start, end: $0.end, words: $0.words)
      })
  }

  private var usage: JSONText {
    .object([("type", .string("duration")), ("seconds", .seconds(duration))])
  }

  private func verbose(_ granularities: Set<TranscriptionRequest.Granularity>) -> JSONText {
    let segments = utterances.filter { !$0.text.isEmpty }.enumerated().map { number, utterance in
      utterance.segment(number)
    }
    let words = transcript.words.map { word in
      JSONText.object([
        ("word", .string(word.word)), ("start", .seconds(word.start)), ("end", .seconds(word.end)),
      ])
    }
    return .members([
      ("task", .string("transcribe")),
      ("language", .string(language)),
      ("duration", .seconds(duration)),
      ("text", .string(text)),
      ("segments", granularities.contains(.segment) ? .array(segments) : .null),
      ("words", granularities.contains(.word) ? .array(words) : .null),
      ("usage", usage),
    ])
  }

  private var logProbs: JSONText {
    .array(transcript.words.enumerated().map { index, word in word.token(isFirst: index == 0) })
  }
}

extension WireUtterance {
  /// What Whisper says of a segment. It has pieces of its own vocabulary, a compression ratio to
  /// find its loops, and a guess that nobody spoke: here there are none of these.
  fileprivate func segment(_ number: Int) -> JSONText {
    let sum = words.reduce(0) { $0 + $1.logProbability }
    return .object([
      ("id", .int(number)),
      ("seek", .int(0)),
      ("start", .seconds(start)),
      ("end", .seconds(end)),
      ("text", .string(text)),
      ("tokens", .array([])),
      ("temperature", .int(0)),
      ("avg_logprob", .score(words.isEmpty ? 0 : sum / Double(words.count))),
      ("compression_ratio", .int(1)),
      ("no_speech_prob", .int(0)),
    ])
  }
}

extension Word {
  /// A word as a token with its log-probability, the space before it included.
  fileprivate func token(isFirst: Bool) -> JSONText {
    let text = isFirst ? word : " " + word
    return .object([
      ("token", .string(text)),
      ("bytes", .array(text.utf8.map { .int(Int($0)) })),
      ("logprob", .logProbability(self)),
    ])
  }
}
