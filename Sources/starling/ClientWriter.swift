import Client
import Transcripts
import Wire

/// Prints what a server says, each result at once.
struct ClientWriter: Sendable {
  let format: TranscriptFormat
  let file: String
  private let start = ContinuousClock.now

  init(format: TranscriptFormat, file: String) {
    self.format = format
    self.file = file
  }

  @Sendable func write(
    _ progress: ClientSession.Progress, at instant: ContinuousClock.Instant
  ) throws {
    guard case .said(let result) = progress else { return }
    if format == .jsonl {
      try Terminal.print(line(result, at: instant))
    } else if result.isFinal, !result.text.isEmpty {
      try Terminal.print(result.text + "\n")
    }
  }

  /// `time` in seconds since the session was begun.
  private func line(_ result: ClientResult, at instant: ContinuousClock.Instant) -> String {
    var members: [(String, JSONText)] = [
      ("time", .seconds((instant - start) / .seconds(1))),
      ("file", .string(file)),
      ("type", .string(result.isFinal ? "final" : "partial")),
      ("utterance", .number(String(result.utterance))),
      ("text", .string(result.text)),
    ]
    if let end = result.end { members.append(("end", .seconds(end))) }
    return JSONText.object(members).compact + "\n"
  }
}
