import Foundation

/// A prefix g with the forward variables of its CTC prefix score (Watanabe et al. 2017, Algorithm
/// 2; §4.3 of the specification).
///
/// The variables have one place more than there are frames: place t holds the paths over the first
/// t frames, so place 0 stands before all frames and no frame is a special case.
public struct CTCPrefix: Sendable {
  /// Number of tokens.
  public let length: Int
  /// Last token; nil for the empty prefix.
  public let last: Int?
  /// ψ(g): ln of the probability of all strings that begin with g, in nats; −∞ if there are none.
  private(set) var score: Double
  /// γⁿ: log-sum over the paths that spell g and end in its last token. [frames + 1]
  private var nonBlank: [Double]
  /// γᵇ: log-sum over the paths that spell g and end in a blank. [frames + 1]
  private var blank: [Double]
  /// γⁿ ⊕ γᵇ. [frames + 1]
  private var either: [Double]

  /// The empty prefix over no frames.
  init() {
    (length, last, score) = (0, nil, 0)
    (nonBlank, blank, either) = ([-.infinity], [0], [0])
  }

  /// The prefix g·token over no frames.
  init(extending length: Int, by token: Int) {
    (self.length, last, score) = (length + 1, token, -.infinity)
    (nonBlank, blank, either) = ([-.infinity], [-.infinity], [-.infinity])
  }

  /// Frames that the variables cover.
  var frames: Int { either.count - 1 }

  /// ψ(g·eos): ln P(g | audio) if the audio ends with the frames so far.
  var endScore: Double { either[frames] }

  /// Covers the frames of `columns` that it does not cover yet.
  ///
  /// - Parameter parent: the prefix without the last token, which covers them; nil for the empty
  ///   prefix.
  mutating func advance(_ columns: FrameColumns, blank blankID: Int, parent: CTCPrefix?) {
    let start = frames
    guard columns.frames > start else { return }
    reserve(columns.frames + 1)
    var (n, b) = (nonBlank[start], blank[start])
    guard let token = last, let parent else {
      for t in start..<columns.frames {
        b += columns[t, blankID]
        append(nonBlank: -.infinity, blank: b)
      }
      return
    }
    let phi = parent.phi(token)
    for t in start..<columns.frames {
      let p = columns[t, token]
      // γⁿ_t = (γⁿ_{t−1} ⊕ φ_{t−1}) + x_t(c);  γᵇ_t = (γⁿ_{t−1} ⊕ γᵇ_{t−1}) + x_t(ε)
      (n, b) = (logAdd(n, phi[t]) + p, either[t] + columns[t, blankID])
      append(nonBlank: n, blank: b)
      // ψ ⊕= φ_{t−1} + x_t(c)
      score = logAdd(score, phi[t] + p)
    }
  }

  /// ψ(g·token) over the frames of `columns`, without the variables of g·token: the log-sum over t
  /// of φ_{t−1} + x_t(token).
  func score(extendedBy token: Int, _ columns: FrameColumns) -> Double {
    let phi = phi(token)
    var highest = -Double.infinity
    for t in 0..<columns.frames { highest = max(highest, phi[t] + columns[t, token]) }
    guard highest > -.infinity else { return highest }
    var sum = 0.0
    for t in 0..<columns.frames {
      let difference = phi[t] + columns[t, token] - highest
      if difference > -40 { sum += exp(difference) }
    }
    return highest + log(sum)
  }

  /// φ: the paths that `token` can follow as a new token. A repeated token needs a blank between.
  private func phi(_ token: Int) -> [Double] { token == last ? blank : either }

  private mutating func reserve(_ count: Int) {
    // Exactly for a whole utterance, by doubling for one that keeps growing.
    let capacity = frames == 0 ? count : max(count, either.capacity < count ? 2 * frames : 0)
    nonBlank.reserveCapacity(capacity)
    blank.reserveCapacity(capacity)
    either.reserveCapacity(capacity)
  }

  private mutating func append(nonBlank n: Double, blank b: Double) {
    nonBlank.append(n)
    blank.append(b)
    either.append(logAdd(n, b))
  }
}
