/// The pieces of one output that holds one or many transcripts, each written when it is ready.
///
/// Either print `header`, the items with `separator` between them, and `footer`; or print what
/// `next` and `finish` return, which keep the count.
public struct TranscriptListing: Sendable {
  public let format: TranscriptFormat
  /// Whether the output is laid out for many files. Decide it by what was asked for, not by how
  /// many turned out well, so that a script can rely on the layout.
  public let several: Bool
  private var items = 0

  /// - Precondition: `several` only with a format that `allowsSeveralFiles`.
  public init(format: TranscriptFormat, several: Bool) {
    precondition(
      !several || format.allowsSeveralFiles, "\(format) cannot hold several transcripts")
    self.format = format
    self.several = several
  }

  /// What stands before the first item.
  public var header: String {
    switch format {
    case .json: several ? "[" : ""
    case .tsv: "file\tstart\tend\ttext\n"
    case .text, .jsonl, .srt, .vtt, .ctm: ""
    }
  }

  /// What stands between two items.
  public var separator: String {
    format == .json && several ? "," : ""
  }

  /// What stands after the last item.
  public var footer: String {
    format == .json && several ? "\n]\n" : ""
  }

  /// One transcript.
  public func item(_ transcript: Transcript) -> String {
    switch format {
    case .text: several ? textRow(transcript) : textAlone(transcript)
    case .json:
      several
        ? "\n  " + transcript.json.pretty(margin: "  ") : transcript.json.pretty() + "\n"
    case .jsonl: transcript.flatJSON.compact + "\n"
    case .srt: Subtitles(transcript).srt
    case .vtt: Subtitles(transcript).vtt
    case .tsv: tsvRows(transcript)
    case .ctm: ctmRows(transcript)
    }
  }

  /// The next transcript with whatever must stand before it.
  public mutating func next(_ transcript: Transcript) -> String {
    let before = items == 0 ? header : separator
    items += 1
    return before + item(transcript)
  }

  /// What ends the output; whole and valid even when no transcript came.
  ///
  /// A listing of one file that never came is empty.
  public func finish() -> String {
    items == 0 && several ? header + footer : footer
  }

  private func textAlone(_ transcript: Transcript) -> String {
    let text = transcript.text
    return text.isEmpty ? "" : text + "\n"
  }

  private func textRow(_ transcript: Transcript) -> String {
    cell(transcript.file) + "\t" + cell(transcript.text) + "\n"
  }

  private func tsvRows(_ transcript: Transcript) -> String {
    transcript.segments.map { segment in
      [
        cell(transcript.file),
        NumberText.fixedSeconds(milliseconds: NumberText.milliseconds(segment.start)),
        NumberText.fixedSeconds(milliseconds: NumberText.milliseconds(segment.end)),
        cell(segment.text),
      ].joined(separator: "\t") + "\n"
    }.joined()
  }

  /// `FILE CHANNEL START DURATION WORD CONFIDENCE`, times in seconds.
  private func ctmRows(_ transcript: Transcript) -> String {
    let file = unbroken(PathName.stem(transcript.file))
    return transcript.words.lazy.filter { !$0.word.isEmpty }.map { word in
      // Taken from the rounded times, so that start + duration is the end the other formats show.
      let start = NumberText.milliseconds(word.start)
      let duration = max(0, NumberText.milliseconds(word.end) - start)
      return [
        file, "1", NumberText.fixedSeconds(milliseconds: start),
        NumberText.fixedSeconds(milliseconds: duration), unbroken(word.word),
        NumberText.fixedConfidence(word.confidence),
      ].joined(separator: " ") + "\n"
    }.joined()
  }

  /// Fit for a cell of a table: no tabs, no line ends.
  private func cell(_ text: String) -> String {
    String(text.map { $0 == "\t" || $0.isNewline ? " " : $0 })
  }

  /// Fit for a column that ends at a blank.
  private func unbroken(_ text: String) -> String {
    String(text.map { $0.isWhitespace ? "_" : $0 })
  }
}
