/// Seconds that a recogniser's stages take on one thread, for benchmarks.
public final class StageTimes {
  public enum Stage: String, CaseIterable, Sendable {
    case features, subsampling
    case feedForward = "feed-forward"
    case attention, convolution, ctc, search
    case finalPass = "final pass"
  }

  private let clock = ContinuousClock()
  private var durations = Array(repeating: Duration.zero, count: Stage.allCases.count)

  public init() {}

  /// Seconds of a stage so far.
  public func seconds(_ stage: Stage) -> Double {
    let (seconds, attoseconds) = durations[Self.index(stage)].components
    return Double(seconds) + Double(attoseconds) / 1e18
  }

  func measure<Result>(_ stage: Stage, _ body: () throws -> Result) rethrows -> Result {
    let start = clock.now
    defer { durations[Self.index(stage)] += clock.now - start }
    return try body()
  }

  private static func index(_ stage: Stage) -> Int { Stage.allCases.firstIndex(of: stage)! }
}
