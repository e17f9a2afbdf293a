import Decoding

/// Intervals of one recording as Praat's long TextGrid.
public struct TextGrid: Equatable, Sendable {
  /// A row of intervals that fill the whole recording, silences between them included.
  public struct Tier: Equatable, Sendable {
    public struct Interval: Equatable, Sendable {
      /// Milliseconds from the start of the audio.
      public var start: Int
      /// Milliseconds from the start of the audio; after `start`.
      public var end: Int
      /// Empty for silence.
      public var text: String
    }

    public let name: String
    public let intervals: [Interval]
  }

  /// Milliseconds of audio; at least 1, since Praat knows no empty intervals.
  public let duration: Int
  public let tiers: [Tier]

  /// - Parameters:
  ///   - duration: seconds of audio.
  ///   - tiers: names and labelled spans in order, in seconds. Spans of less than a millisecond get
  ///     one, taken from what is before them.
  public init(
    duration: Double, tiers: [(name: String, spans: [(text: String, start: Double, end: Double)])]
  ) {
    let end = max(1, NumberText.milliseconds(duration))
    self.duration = end
    self.tiers = tiers.map { tier in
      Tier(name: tier.name, intervals: Self.filled(Self.separated(tier.spans, end), end))
    }
  }

  /// The words and the tokens of an alignment.
  public init(_ alignment: TextAlignment, duration: Double) {
    self.init(
      duration: duration,
      tiers: [
        ("words", alignment.words.map { ($0.word, $0.start, $0.end) }),
        ("tokens", alignment.tokens.map { ($0.text, $0.start, $0.end) }),
      ])
  }

  /// The file, line end included.
  public var text: String {
    var lines = ["File type = \"ooTextFile\"", "Object class = \"TextGrid\"", ""]
    lines += Self.bounds(0, duration, "")
    lines += ["tiers? <exists> ", "size = \(tiers.count) ", "item []: "]
    for (index, tier) in tiers.enumerated() {
      lines += [
        "    item [\(index + 1)]:", "        class = \"IntervalTier\" ",
        "        name = \(Self.quoted(tier.name)) ",
      ]
      lines += Self.bounds(0, duration, "        ")
      lines.append("        intervals: size = \(tier.intervals.count) ")
      for (index, interval) in tier.intervals.enumerated() {
        lines.append("        intervals [\(index + 1)]:")
        lines += Self.bounds(interval.start, interval.end, "            ")
        lines.append("            text = \(Self.quoted(interval.text)) ")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Spans without overlap, each at least a millisecond long; those that find no room are left out.
  private static func separated(
    _ spans: [(text: String, start: Double, end: Double)], _ duration: Int
  ) -> [Tier.Interval] {
    var intervals: [Tier.Interval] = []
    var limit = duration
    for span in spans.reversed() {
      let end = min(max(NumberText.milliseconds(span.end), 0), limit)
      let start = max(0, min(NumberText.milliseconds(span.start), end - 1))
      if start < end { intervals.append(Tier.Interval(start: start, end: end, text: span.text)) }
      limit = min(limit, start)
    }
    return intervals.reversed()
  }

  /// With silences in the gaps.
  private static func filled(_ intervals: [Tier.Interval], _ duration: Int) -> [Tier.Interval] {
    var all: [Tier.Interval] = []
    var reached = 0
    for interval in intervals {
      if interval.start > reached {
        all.append(Tier.Interval(start: reached, end: interval.start, text: ""))
      }
      all.append(interval)
      reached = interval.end
    }
    if reached < duration { all.append(Tier.Interval(start: reached, end: duration, text: "")) }
    return all
  }

  private static func bounds(_ start: Int, _ end: Int, _ margin: String) -> [String] {
    [
      margin + "xmin = \(NumberText.seconds(milliseconds: start)) ",
      margin + "xmax = \(NumberText.seconds(milliseconds: end)) ",
    ]
  }

  private static func quoted(_ text: String) -> String {
    let clean = text.unicodeScalars.map { scalar in
      scalar.properties.generalCategory == .control ? " " : String(scalar)
    }
    return "\"" + clean.joined().replacing("\"", with: "\"\"") + "\""
  }
}
