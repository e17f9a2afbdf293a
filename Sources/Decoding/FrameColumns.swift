/// CTC log-probabilities of all frames so far, kept by class: prefix scores read one class over all
/// frames.
///
/// Frames are grouped by 64, [groups, vocabulary, 64], so that frames can be appended and a class's
/// are still side by side.
struct FrameColumns: Sendable {
  private static let group = 64

  let vocabulary: Int
  private(set) var frames = 0
  private var values: [Float] = []

  init(vocabulary: Int) { self.vocabulary = vocabulary }

  mutating func append(_ logProbs: LogProbs) {
    precondition(logProbs.vocabulary == vocabulary)
    let groups = (frames + logProbs.frames + Self.group - 1) / Self.group
    let missing = groups * vocabulary * Self.group - values.count
    if missing > 0 { values.append(contentsOf: repeatElement(0, count: missing)) }
    for row in 0..<logProbs.frames {
      let frame = logProbs[row]
      var place = index(frames + row, 0)
      for id in 0..<vocabulary {
        values[place] = frame[id]
        place += Self.group
      }
    }
    frames += logProbs.frames
  }

  /// Log-probability of class `id` at `frame`.
  @inline(__always)
  subscript(frame: Int, id: Int) -> Double { Double(values[index(frame, id)]) }

  @inline(__always)
  private func index(_ frame: Int, _ id: Int) -> Int {
    ((frame / Self.group) * vocabulary + id) * Self.group + frame % Self.group
  }
}
