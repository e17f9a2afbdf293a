/// Word error rate over a quantity of the utterances, such as their length, as an SVG.
///
/// Utterances are sorted by the quantity and divided into bins of as many utterances each.
struct RatePlot {
  struct Bin: Equatable {
    let lowest: Double
    let highest: Double
    let utterances: Int
    let rate: Double
  }

  private static let binCount = 10
  private static let (width, height) = (460.0, 220.0)
  private static let (left, right, top, bottom) = (46.0, 8.0, 10.0, 44.0)

  let title: String
  let axis: String
  let bins: [Bin]

  /// - Parameters:
  ///   - axis: the quantity with its unit.
  ///   - values: the quantity of each utterance; those without are left out.
  init(title: String, axis: String, _ utterances: [ScoredUtterance], _ values: [Double?]) {
    self.title = title
    self.axis = axis
    let known = zip(utterances, values).compactMap { utterance, value in
      value.map { ($0, utterance) }
    }
    .sorted { $0.0 < $1.0 }
    // Fewer than five in a bin would show chance.
    let count = min(Self.binCount, known.count / 5)
    bins = (0..<count).compactMap { index in
      let part = known[index * known.count / count..<(index + 1) * known.count / count]
      guard let first = part.first, let last = part.last else { return nil }
      return Bin(
        lowest: first.0, highest: last.0, utterances: part.count,
        rate: ScoreSummary(part.map(\.1)).words.errorRate)
    }
  }

  var svg: String {
    guard !bins.isEmpty else { return "" }
    let top = Self.niceTop(bins.map(\.rate).max()!)
    let room = Self.width - Self.left - Self.right
    let tall = Self.height - Self.top - Self.bottom
    func y(_ rate: Double) -> Double { Self.top + tall * (1 - rate / top) }
    var parts = [0, 0.5, 1].map { share in
      let (line, text) = (y(share * top), Figures.short((1000 * share * top).rounded() / 10))
      return """
        <line class="grid" x1="\(Self.left)" x2="\(Self.width - Self.right)" y1="\(line)" y2="\(line)"/>\
        <text x="\(Self.left - 6)" y="\(line + 4)" text-anchor="end">\(text) %</text>
        """
    }
    let step = room / Double(bins.count)
    for (index, bin) in bins.enumerated() {
      let x = Self.left + Double(index) * step
      let bar = max(1, y(0) - y(bin.rate))
      let range = "\(Figures.short(bin.lowest)) to \(Figures.short(bin.highest))"
      parts.append(
        """
        <rect x="\(Figures.fixed(x + 2, 1))" y="\(Figures.fixed(y(0) - bar, 1))" \
        width="\(Figures.fixed(step - 4, 1))" height="\(Figures.fixed(bar, 1))">\
        <title>\(range): \(Figures.percent(bin.rate)) % of words, \(bin.utterances) utterances</title></rect>\
        <text x="\(Figures.fixed(x + step / 2, 1))" y="\(y(0) + 16)" text-anchor="middle">\
        \(Figures.short(bin.highest))</text>
        """)
    }
    parts.append(
      """
      <text x="\(Self.left + room / 2)" y="\(Self.height - 6)" text-anchor="middle">up to … \
      \(HTMLText.escaped(axis))</text>
      """)
    return """
      <figure><figcaption>\(HTMLText.escaped(title))</figcaption>\
      <svg viewBox="0 0 \(Self.width) \(Self.height)" role="img" \
      aria-label="\(HTMLText.escaped(title))">
      \(parts.joined(separator: "\n"))
      </svg></figure>

      """
  }

  /// The least round rate that holds the highest bar.
  private static func niceTop(_ highest: Double) -> Double {
    [0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5].first { $0 >= highest } ?? highest
  }
}
