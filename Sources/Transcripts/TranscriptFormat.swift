/// How a transcript is written out.
public enum TranscriptFormat: String, CaseIterable, Sendable {
  /// The text alone.
  case text
  /// One pretty-printed object with segments and words.
  case json
  /// One object on one line, with words.
  case jsonl
  /// SubRip subtitles.
  case srt
  /// WebVTT subtitles.
  case vtt
  /// One segment a line: file, start, end, text.
  case tsv
  /// One word a line in the NIST layout, for scoring tools.
  case ctm

  /// The extension of a file in this format, without the dot.
  public var fileExtension: String {
    self == .text ? "txt" : rawValue
  }

  /// Whether the transcripts of several files can share one output.
  public var allowsSeveralFiles: Bool {
    switch self {
    case .text, .json, .jsonl, .tsv, .ctm: true
    case .srt, .vtt: false
    }
  }

  /// The transcript as the whole content of one file, line end included.
  ///
  /// Text, SRT and CTM of a transcript without words are empty.
  public func render(_ transcript: Transcript) -> String {
    renderAll([transcript])
  }

  /// Several transcripts as one output. See `TranscriptListing` to write each as it is ready.
  ///
  /// - Precondition: one transcript, or a format that `allowsSeveralFiles`.
  public func renderAll(_ transcripts: [Transcript]) -> String {
    let several = transcripts.count > 1 || (transcripts.isEmpty && allowsSeveralFiles)
    var listing = TranscriptListing(format: self, several: several)
    var out = ""
    for transcript in transcripts { out += listing.next(transcript) }
    return out + listing.finish()
  }
}
