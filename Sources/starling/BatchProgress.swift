import Audio
import Foundation
import Synchronization
import Transcripts

/// The progress bar of a batch on a terminal; nothing at all elsewhere.
final class BatchProgress: Sendable {
  private let isShown = Terminal.errorIsTerminal
  private let start = ContinuousClock.now
  private let state: Mutex<State>

  private struct State {
    var bar: ProgressBar
    var throttle = RedrawThrottle()
  }

  /// Files whose lengths are looked up beforehand, so that a huge folder starts at once.
  private static let mostProbed = 1000

  init(files: Int) {
    state = Mutex(
      State(
        bar: ProgressBar(
          doneSeconds: 0, totalSeconds: nil, elapsed: 0, filesDone: 0, filesTotal: files)))
  }

  /// Looks up how much audio there is.
  func begin(paths: [String]) {
    guard isShown, paths.count <= Self.mostProbed else { return }
    var total = 0.0
    for path in paths where path != "-" {
      // A file that cannot be opened is reported when its turn comes.
      guard let reader = try? AudioFileReader(path: path) else { continue }
      guard let duration = reader.duration else { return }
      total += duration
    }
    state.withLock { $0.bar.totalSeconds = total }
  }

  func advance(seconds: Double) {
    update { $0.doneSeconds += seconds }
  }

  func fileDone() {
    update { $0.filesDone += 1 }
  }

  /// A line on standard error that the bar does not disturb.
  func log(_ message: String) {
    state.withLock { _ in
      if isShown { Terminal.printError("\r\u{1B}[K") }
      Terminal.log(message)
    }
  }

  /// Frees the line for other output.
  func clear() {
    guard isShown else { return }
    state.withLock { _ in Terminal.printError("\r\u{1B}[K") }
  }

  /// Replaces the bar by a summary.
  func end(failed: Int, skipped: Int) {
    guard isShown else { return }
    state.withLock { state in
      let bar = state.bar
      let seconds = elapsed
      var parts = ["\(bar.filesDone - failed) done"]
      if failed > 0 { parts.append("\(failed) failed") }
      if skipped > 0 { parts.append("\(skipped) skipped") }
      Terminal.printError("\r\u{1B}[K")
      Terminal.log(
        parts.joined(separator: ", ")
          + String(
            format: "; %.1f s of audio in %.1f s (%.0fx real time)", bar.doneSeconds, seconds,
            bar.doneSeconds / max(seconds, 1e-3)))
    }
  }

  private var elapsed: Double {
    let (seconds, attoseconds) = (ContinuousClock.now - start).components
    return Double(seconds) + Double(attoseconds) / 1e18
  }

  private func update(_ change: (inout ProgressBar) -> Void) {
    state.withLock { state in
      change(&state.bar)
      state.bar.elapsed = elapsed
      guard isShown, state.throttle.allows(ContinuousClock.now) else { return }
      Terminal.printError("\r\u{1B}[K" + state.bar.line(width: Terminal.width))
    }
  }
}
