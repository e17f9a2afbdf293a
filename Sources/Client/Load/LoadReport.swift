/// What a load has shown; times in seconds.
public struct LoadReport: Sendable {
  /// What was heard of one file.
  public struct File: Equatable, Sendable {
    public let name: String
    /// How often it was heard without a failure.
    public let heard: Int
    /// The commonest text; the first in the alphabet of several.
    public let text: String
    /// How often the text was another.
    public let differing: Int
  }

  let load: LoadGenerator
  /// Files heard, a file in a session being one.
  public let hearings: Int
  public let audioSeconds: Double
  /// From the first session's start to the last one's end.
  public let seconds: Double
  /// Used by the client on all cores.
  public let processorSeconds: Double
  /// Counts by kind: the raw values of `WireError.Code`, and those of `ClientError`.
  public let failures: [String: Int]
  /// From the sending of a file's first audio to the first text.
  public let firstPartial: Spread?
  /// From the sending of the end of a file's audio to its last final result.
  public let finalAfterEnd: Spread?
  /// From the sending of the audio where a result's last word ends to the result, of those that
  /// reach further than the ones before. nil where the protocol does not tell times.
  public let lag: Spread?
  /// How late audio was sent: were it much, the times would say more of the client than of the
  /// server.
  public let sendDelay: Spread?
  public let files: [File]

  init(
    _ load: LoadGenerator, _ tally: LoadTally, seconds: Double, processorSeconds: Double
  ) {
    self.load = load
    self.seconds = seconds
    self.processorSeconds = processorSeconds
    hearings = tally.hearings
    audioSeconds = tally.audioSeconds
    failures = tally.failures
    firstPartial = Spread(tally.firstPartial)
    finalAfterEnd = Spread(tally.finalAfterEnd)
    lag = Spread(tally.lag)
    sendDelay = Spread(tally.sendDelay)
    files = zip(load.files, tally.texts).map { file, texts in
      let heard = texts.values.reduce(0, +)
      let common = texts.min { ($1.value, $0.key) < ($0.value, $1.key) }
      return File(
        name: file.name, heard: heard, text: common?.key ?? "",
        differing: heard - (common?.value ?? 0))
    }
  }

  /// Hearings whose text was another than the commonest of their file.
  public var differing: Int { files.reduce(0) { $0 + $1.differing } }

  /// Whether nothing failed and every file had one text.
  public var isGood: Bool { failures.isEmpty && differing == 0 }
}

extension LoadReport {
  /// What is not well, on one line: `3 of 24 files failed (3 busy), 1 had another text`.
  public var summaryOfFaults: String {
    let failed = failures.values.reduce(0, +)
    return "\(failed) of \(hearings) files failed\(failures.isEmpty ? "" : " (\(failureCounts))"), "
      + "\(differing) had another text"
  }

  /// Such as `2 busy, 1 lost`.
  var failureCounts: String {
    failures.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
  }
}
