import Recognizer
import TextFormatting
import Transcripts

/// Writes what a live stream says, each result at once.
struct StreamWriter {
  let format: TranscriptFormat
  /// For final results; nil to print them as they are.
  let postProcessor: (any PostProcessor)?

  func write(_ results: [RecognitionResult]) throws(OutputClosed) {
    for result in results.map({ $0.processed(by: postProcessor) }) {
      let text =
        format == .jsonl
        ? Self.event(result).jsonLine
        : Terminal.outputIsTerminal ? terminalLine(result) : plainLine(result)
      if !text.isEmpty { try Terminal.print(text) }
    }
  }

  private static func event(_ result: RecognitionResult) -> StreamEvent {
    StreamEvent(
      kind: result.kind == .final ? .final : .partial, utterance: result.utterance,
      text: result.text, committed: result.committed, start: result.start, end: result.end,
      words: result.words, alternatives: result.alternatives.map(TranscriptAlternative.init))
  }

  private func plainLine(_ result: RecognitionResult) -> String {
    result.kind == .final && !result.text.isEmpty ? result.text + "\n" : ""
  }

  /// Rewrites the current line. A partial result shows its end, as much as the line holds.
  private func terminalLine(_ result: RecognitionResult) -> String {
    let clear = "\r\u{1B}[K"
    guard result.kind == .partial else {
      return result.text.isEmpty ? clear : clear + result.text + "\n"
    }
    let room = max(10, Terminal.width - 1)
    let hidden = max(0, result.text.count - room)
    let shown = result.text.dropFirst(hidden)
    let committed = max(0, result.committed.count - hidden)
    return clear + shown.prefix(committed) + "\u{1B}[2m" + shown.dropFirst(committed)
      + "\u{1B}[0m"
  }
}
