import Foundation
import Recognizer
import Synchronization

/// What a server has done, for its operators: the text of `GET /metrics`.
final class Metrics: Sendable {
  private let state = Mutex(State())

  private struct State {
    var openSessions = 0
    var sessions = 0
    var audioSeconds = 0.0
    var decodingSeconds = 0.0
    var settlingSeconds = 0.0
    var utterances = 0
    var errors: [String: Int] = [:]
    var lag = Histogram(bounds: [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10])
    var batch = Histogram(bounds: [1, 2, 4, 8, 16, 32])
  }

  /// Counts of values up to each bound, as Prometheus has them.
  private struct Histogram {
    let bounds: [Double]
    var counts: [Int]
    var sum = 0.0
    var total = 0

    init(bounds: [Double]) {
      self.bounds = bounds
      counts = bounds.map { _ in 0 }
    }

    mutating func add(_ value: Double) {
      for (index, bound) in bounds.enumerated() where value <= bound { counts[index] += 1 }
      sum += value
      total += 1
    }

    func lines(_ name: String, _ help: String) -> [String] {
      ["# HELP \(name) \(help)", "# TYPE \(name) histogram"]
        + zip(bounds, counts).map { "\(name)_bucket{le=\"\(Metrics.number($0))\"} \($1)" }
        + [
          "\(name)_bucket{le=\"+Inf\"} \(total)", "\(name)_sum \(sum)", "\(name)_count \(total)",
        ]
    }
  }

  /// Takes a place for a session; false if all are taken.
  func openSession(limit: Int) -> Bool {
    state.withLock {
      guard $0.openSessions < limit else { return false }
      $0.openSessions += 1
      $0.sessions += 1
      return true
    }
  }

  func closeSession() { state.withLock { $0.openSessions -= 1 } }

  func count(audioSeconds: Double) { state.withLock { $0.audioSeconds += audioSeconds } }

  func count(error kind: String) { state.withLock { $0.errors[kind, default: 0] += 1 } }

  func record(_ report: BatchScheduler.Report) {
    state.withLock { state in
      switch report {
      case .decoded(let streams, let seconds, let lags):
        state.decodingSeconds += seconds
        state.batch.add(Double(streams))
        for lag in lags { state.lag.add(lag) }
      case .settled(let utterances, let seconds):
        state.settlingSeconds += seconds
        state.utterances += utterances
      }
    }
  }

  /// In the text format of Prometheus.
  var text: String {
    let state = state.withLock { $0 }
    func line(_ name: String, _ type: String, _ help: String, _ value: String) -> [String] {
      ["# HELP \(name) \(help)", "# TYPE \(name) \(type)", "\(name) \(value)"]
    }
    let busy = state.decodingSeconds + state.settlingSeconds
    var lines = line(
      "starling_sessions_open", "gauge", "Sessions at the moment.", "\(state.openSessions)")
    lines += line(
      "starling_sessions_total", "counter", "Sessions since the start.", "\(state.sessions)")
    lines += line(
      "starling_audio_seconds_total", "counter", "Seconds of audio accepted.",
      "\(state.audioSeconds)")
    lines += line(
      "starling_decoding_seconds_total", "counter", "Seconds of computing in encoder and search.",
      "\(state.decodingSeconds)")
    lines += line(
      "starling_final_pass_seconds_total", "counter", "Seconds of computing in final passes.",
      "\(state.settlingSeconds)")
    lines += line(
      "starling_utterances_total", "counter", "Utterances settled.", "\(state.utterances)")
    lines += line(
      "starling_real_time_factor", "gauge", "Seconds of computing per second of audio.",
      "\(state.audioSeconds > 0 ? busy / state.audioSeconds : 0)")
    lines += line(
      "starling_resident_bytes", "gauge", "Memory of the process.", "\(Self.residentBytes())")
    lines += state.lag.lines(
      "starling_chunk_lag_seconds", "From a chunk's last sample to its result.")
    lines += state.batch.lines("starling_batch_streams", "Streams of one encoder pass.")
    lines += [
      "# HELP starling_errors_total Errors by kind.", "# TYPE starling_errors_total counter",
    ]
    lines += state.errors.sorted { $0.key < $1.key }.map {
      "starling_errors_total{kind=\"\($0.key)\"} \($0.value)"
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func number(_ value: Double) -> String {
    value == value.rounded() ? String(Int(value)) : String(value)
  }

  private static func residentBytes() -> Int {
    guard let text = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8) else {
      return 0
    }
    let fields = text.split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(sysconf(Int32(_SC_PAGESIZE))) : 0
  }
}
