import Decoding
import Foundation

/// A piece of text that subtitles never break: a word, or a line's worth of one too long for it.
struct SubtitleToken {
  var text: String
  /// Characters in `text`, at most a line.
  var width: Int
  /// Milliseconds from the start of the audio.
  var start: Int
  /// Milliseconds from the start of the audio.
  var end: Int

  /// The segment's tokens, parted where the speaker pauses.
  static func runs(of segment: TranscriptSegment) -> [[SubtitleToken]] {
    let whole = Word(word: segment.text, start: segment.start, end: segment.end, confidence: 1)
    var runs: [[SubtitleToken]] = []
    for token in (segment.words.isEmpty ? [whole] : segment.words).flatMap(tokens) {
      if let before = runs.last?.last, token.start - before.end < Subtitles.pauseMilliseconds {
        runs[runs.count - 1].append(token)
      } else {
        runs.append([token])
      }
    }
    return runs
  }

  /// Splits at blanks and at the line length; the pieces share the time by their length.
  ///
  /// A full-length piece leaves no room beside it, so the pieces of one word end up on lines of
  /// their own and no blank comes between them.
  private static func tokens(of word: Word) -> [SubtitleToken] {
    // The arrow parts the two times of a cue; inside the text it would end the cue for readers.
    let clean = word.word.replacingOccurrences(of: "-->", with: "→", options: .literal)
    let pieces = clean.split(whereSeparator: \.isWhitespace).flatMap(linePieces)
    let length = pieces.reduce(0) { $0 + $1.count }
    let start = max(0, NumberText.milliseconds(word.start))
    let end = max(start, NumberText.milliseconds(word.end))
    var before = 0
    return pieces.map { piece in
      let width = piece.count
      defer { before += width }
      return SubtitleToken(
        text: String(piece), width: width, start: start + (end - start) * before / length,
        end: start + (end - start) * (before + width) / length)
    }
  }

  private static func linePieces(_ text: Substring) -> [Substring] {
    var pieces: [Substring] = []
    var rest = text
    while !rest.isEmpty {
      pieces.append(rest.prefix(Subtitles.lineLength))
      rest = rest.dropFirst(Subtitles.lineLength)
    }
    return pieces
  }
}
