import Glibc

/// What a load has brought so far.
struct LoadTally {
  var hearings = 0
  var audioSeconds = 0.0
  /// Counts by the kind of failure.
  var failures: [String: Int] = [:]
  var firstPartial: [Double] = []
  var finalAfterEnd: [Double] = []
  var lag: [Double] = []
  var sendDelay: [Double] = []
  /// Of each file, how often each text was heard without a failure.
  var texts: [[String: Int]]

  init(fileCount: Int) { texts = Array(repeating: [:], count: fileCount) }

  mutating func add(_ outcome: HearingOutcome) {
    hearings += 1
    audioSeconds += outcome.audioSeconds
    sendDelay += outcome.sendDelays
    guard outcome.failure == nil else {
      failures[outcome.failure!, default: 0] += 1
      return
    }
    if let seconds = outcome.firstPartial { firstPartial.append(seconds) }
    if let seconds = outcome.finalAfterEnd { finalAfterEnd.append(seconds) }
    lag += outcome.lags
    texts[outcome.file][outcome.text, default: 0] += 1
  }
}

/// What this process has used of the processors.
enum ProcessorTime {
  /// User and system time of all threads.
  static var seconds: Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return [usage.ru_utime, usage.ru_stime].reduce(0) {
      $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
    }
  }
}

/// How seconds are spread, by nearest rank.
public struct Spread: Equatable, Sendable {
  public let count: Int
  public let p50: Double
  public let p95: Double
  public let p99: Double
  public let max: Double

  /// nil of nothing.
  public init?(_ values: [Double]) {
    guard !values.isEmpty else { return nil }
    let sorted = values.sorted()
    func rank(_ percent: Int) -> Double { sorted[(percent * sorted.count + 99) / 100 - 1] }
    count = sorted.count
    p50 = rank(50)
    p95 = rank(95)
    p99 = rank(99)
    max = rank(100)
  }
}
