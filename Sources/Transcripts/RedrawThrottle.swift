/// Keeps a progress line from being drawn more than ten times a second.
public struct RedrawThrottle: Sendable {
  /// The least time between two drawings.
  public static let interval = Duration.milliseconds(100)

  private var last: ContinuousClock.Instant?

  public init() {}

  /// Whether to draw now; if so, the time until the next drawing starts anew.
  ///
  /// - Parameter force: draw in any case, as for the last state of a run.
  public mutating func allows(_ now: ContinuousClock.Instant, force: Bool = false) -> Bool {
    if let last, !force, last.duration(to: now) < Self.interval { return false }
    last = now
    return true
  }
}
