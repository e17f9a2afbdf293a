/// The most probable classes of a frame, chosen once for all hypotheses.
struct TopTokens: Sendable {
  /// Classes, the most probable first; equal ones in the order of their numbers.
  private(set) var ids: [Int] = []

  /// Chooses at most `count` classes with a log-probability of at least `threshold`, in one pass.
  mutating func select(
    _ logProbs: UnsafeBufferPointer<Float>, count: Int, threshold: Float = -.infinity
  ) {
    ids.removeAll(keepingCapacity: true)
    guard count > 0 else { return }
    // Wide selections sort; narrow ones insert, which most classes do not even begin.
    if count > 64 {
      ids.append(contentsOf: logProbs.indices.filter { logProbs[$0] >= threshold })
      ids.sort { (logProbs[$0], $1) > (logProbs[$1], $0) }
      if ids.count > count { ids.removeSubrange(count...) }
      return
    }
    var lowest = threshold
    for id in logProbs.indices where logProbs[id] >= lowest {
      if ids.count == count {
        guard logProbs[id] > lowest else { continue }
        ids.removeLast()
      }
      var place = ids.count
      while place > 0, logProbs[ids[place - 1]] < logProbs[id] { place -= 1 }
      ids.insert(id, at: place)
      if ids.count == count { lowest = logProbs[ids[count - 1]] }
    }
  }
}
