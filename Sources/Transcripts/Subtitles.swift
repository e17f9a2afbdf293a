import Foundation

/// A transcript cut into subtitle cues.
///
/// The cues are made from the words and their times. A segment without words shares its span
/// among the words of its text by their length.
public struct Subtitles: Equatable, Sendable {
  /// One caption on the screen.
  public struct Cue: Equatable, Sendable {
    /// Milliseconds from the start of the audio.
    public var startMilliseconds: Int
    /// Milliseconds from the start of the audio; after `startMilliseconds`.
    public var endMilliseconds: Int
    /// One or two lines of plain text.
    public var lines: [String]

    public init(startMilliseconds: Int, endMilliseconds: Int, lines: [String]) {
      self.startMilliseconds = startMilliseconds
      self.endMilliseconds = endMilliseconds
      self.lines = lines
    }
  }

  /// Characters on one line, at most.
  public static let lineLength = 42
  /// How long a cue stays, at most, in milliseconds.
  public static let longestMilliseconds = 7000
  /// How long a cue stays where the next one leaves room, in milliseconds.
  public static let shortestMilliseconds = 1000
  /// The silence between two words that ends a cue, in milliseconds.
  public static let pauseMilliseconds = 600

  /// In order, never overlapping.
  public let cues: [Cue]

  public init(_ transcript: Transcript) {
    let layouts = transcript.segments.flatMap { segment in
      SubtitleToken.runs(of: segment).flatMap { SubtitleLayout(tokens: $0).cues }
    }
    let duration = NumberText.milliseconds(transcript.duration)
    cues = Self.timed(layouts, duration: duration)
  }

  /// The cues as SubRip; empty when there are none.
  public var srt: String {
    cues.enumerated().map { number, cue in
      let times = "\(clock(cue.startMilliseconds, ",")) --> \(clock(cue.endMilliseconds, ","))"
      return "\(number + 1)\n\(times)\n\(cue.lines.joined(separator: "\n"))\n"
    }.joined(separator: "\n")
  }

  /// The cues as WebVTT.
  public var vtt: String {
    "WEBVTT\n"
      + cues.map { cue in
        let times = "\(clock(cue.startMilliseconds, ".")) --> \(clock(cue.endMilliseconds, "."))"
        return "\n\(times)\n\(cue.lines.map { MarkupText.escaped($0) }.joined(separator: "\n"))\n"
      }.joined()
  }

  /// Puts the cues in order: each starts after the one before and ends before the next.
  private static func timed(_ layouts: [Cue], duration: Int) -> [Cue] {
    var cues = layouts
    for index in cues.indices {
      let earliest = index == 0 ? 0 : cues[index - 1].startMilliseconds + 1
      cues[index].startMilliseconds = max(cues[index].startMilliseconds, earliest)
    }
    for index in cues.indices {
      let start = cues[index].startMilliseconds
      let end = cues[index].endMilliseconds
      let isLast = index == cues.count - 1
      let room = isLast ? max(duration, end, start + 1) : cues[index + 1].startMilliseconds
      let wanted = max(end, start + shortestMilliseconds)
      cues[index].endMilliseconds = min(wanted, room, start + longestMilliseconds)
    }
    return cues
  }

  /// `HH:MM:SS` and the milliseconds after `point`.
  private func clock(_ milliseconds: Int, _ point: String) -> String {
    let seconds = milliseconds / 1000
    let fields = [seconds / 3600, seconds / 60 % 60, seconds % 60]
    return fields.map { NumberText.padded($0, digits: 2) }.joined(separator: ":") + point
      + NumberText.padded(milliseconds % 1000, digits: 3)
  }
}
