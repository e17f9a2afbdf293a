/// Lays a run of words without a pause out in cues: as few as possible, alike in length, ending
/// with a clause where that costs no further cue.
struct SubtitleLayout {
  private let tokens: [SubtitleToken]
  /// Characters of all tokens before each one. [tokens + 1]
  private let offsets: [Int]

  /// How the cost of a cue that stops inside a clause compares with its length squared.
  private static let brokenClauseCost = 1000

  init(tokens: [SubtitleToken]) {
    self.tokens = tokens
    var offsets = [0]
    for token in tokens { offsets.append(offsets[offsets.count - 1] + token.width) }
    self.offsets = offsets
  }

  /// In order, with the times of their words: not yet kept apart from those of other runs.
  var cues: [Subtitles.Cue] {
    ranges.map { range in
      Subtitles.Cue(
        startMilliseconds: tokens[range.lowerBound].start,
        endMilliseconds: tokens[range.upperBound - 1].end,
        lines: lines(range))
    }
  }

  /// The cheapest split, found from the front: the best way to reach each word.
  private var ranges: [Range<Int>] {
    var best = [(cues: 0, cost: 0, from: 0)]
    for end in tokens.indices.map({ $0 + 1 }) {
      var found = (cues: Int.max, cost: 0, from: end - 1)
      for start in (0..<end).reversed() {
        guard canShow(start..<end) else { break }
        let cues = best[start].cues + 1
        let cost = best[start].cost + self.cost(start..<end)
        if (cues, cost) < (found.cues, found.cost) { found = (cues, cost, start) }
      }
      best.append(found)
    }
    var ranges: [Range<Int>] = []
    var end = tokens.count
    while end > 0 {
      ranges.append(best[end].from..<end)
      end = best[end].from
    }
    return ranges.reversed()
  }

  private func cost(_ range: Range<Int>) -> Int {
    let length = width(range)
    let isWhole = range.upperBound == tokens.count || endsClause(range.upperBound - 1)
    return length * length + (isWhole ? 0 : Self.brokenClauseCost)
  }

  private func endsClause(_ index: Int) -> Bool {
    tokens[index].text.last.map { ".,;:?!…。，、；：？！".contains($0) } ?? false
  }

  private func canShow(_ range: Range<Int>) -> Bool {
    let time = tokens[range.upperBound - 1].end - tokens[range.lowerBound].start
    if range.count > 1 && time > Subtitles.longestMilliseconds { return false }
    return width(range) <= Subtitles.lineLength || lineBreak(range) != nil
  }

  /// Characters of the range on one line, blanks between the words included.
  private func width(_ range: Range<Int>) -> Int {
    offsets[range.upperBound] - offsets[range.lowerBound] + range.count - 1
  }

  /// Where the second line starts so that the longer line is shortest; nil where two lines are
  /// too few.
  private func lineBreak(_ range: Range<Int>) -> Int? {
    guard width(range) <= 2 * Subtitles.lineLength + 1 else { return nil }
    let longer = { (index: Int) in
      max(width(range.lowerBound..<index), width(index..<range.upperBound))
    }
    let best = range.dropFirst().min { longer($0) < longer($1) }
    return best.flatMap { longer($0) <= Subtitles.lineLength ? $0 : nil }
  }

  private func lines(_ range: Range<Int>) -> [String] {
    let join = { (part: Range<Int>) in
      tokens[part].map(\.text).joined(separator: " ")
    }
    guard width(range) > Subtitles.lineLength, let second = lineBreak(range) else {
      return [join(range)]
    }
    return [join(range.lowerBound..<second), join(second..<range.upperBound)]
  }
}
