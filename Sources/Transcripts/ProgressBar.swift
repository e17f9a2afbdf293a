/// How far a run has come, as one line for a terminal. Draws nothing itself.
public struct ProgressBar: Equatable, Sendable {
  /// Seconds of audio transcribed.
  public var doneSeconds: Double
  /// Seconds of audio in all, where known.
  public var totalSeconds: Double?
  /// Seconds since the run began.
  public var elapsed: Double
  public var filesDone: Int
  public var filesTotal: Int

  /// Cells of the bar at most, and at least where there is a bar at all.
  private static let cells = 10...40

  /// - Parameters:
  ///   - doneSeconds: seconds of audio transcribed.
  ///   - totalSeconds: seconds of audio in all, nil where not known.
  ///   - elapsed: seconds since the run began.
  public init(
    doneSeconds: Double, totalSeconds: Double?, elapsed: Double, filesDone: Int, filesTotal: Int
  ) {
    self.doneSeconds = doneSeconds
    self.totalSeconds = totalSeconds
    self.elapsed = elapsed
    self.filesDone = filesDone
    self.filesTotal = filesTotal
  }

  /// `[#####-----] 3/12 files  12:30 of 45:00  85x real time  ETA 00:23`, without a line end.
  ///
  /// Where that is too long, the speed goes first, then the bar, the times, the ETA; what is still
  /// too long is cut. The last column stays free, since some terminals wrap after it.
  ///
  /// - Parameter width: columns of the terminal.
  public func line(width: Int) -> String {
    let room = max(0, width - 1)
    let layouts = [
      (bar: true, parts: [files, times, speed, eta]),
      (bar: true, parts: [files, times, eta]),
      (bar: false, parts: [files, times, eta]),
      (bar: false, parts: [files ?? times, eta]),
      (bar: false, parts: [files ?? times]),
    ]
    var text = ""
    for layout in layouts {
      text = layout.parts.compactMap(\.self).joined(separator: "  ")
      let barRoom = room - text.count - 3
      if layout.bar, let fraction {
        if barRoom >= Self.cells.lowerBound {
          return bar(fraction, cells: min(barRoom, Self.cells.upperBound)) + " " + text
        }
      } else if text.count <= room {
        return text
      }
    }
    return String(text.prefix(room))
  }

  /// The part done, 0…1; by files where the length of the audio is not known.
  private var fraction: Double? {
    let part: Double
    if let total = knownTotal {
      part = doneSeconds / total
    } else if filesTotal > 1 {
      part = Double(filesDone) / Double(filesTotal)
    } else {
      return nil
    }
    return part.isFinite ? min(max(part, 0), 1) : nil
  }

  private var knownTotal: Double? {
    totalSeconds.flatMap { $0 > 0 && $0.isFinite ? $0 : nil }
  }

  private var files: String? {
    filesTotal > 1 ? "\(filesDone)/\(filesTotal) files" : nil
  }

  private var times: String {
    let done = Self.clock(doneSeconds)
    return knownTotal.map { "\(done) of \(Self.clock($0))" } ?? done
  }

  private var speed: String? {
    guard doneSeconds > 0, elapsed > 0, doneSeconds / elapsed < 1e9 else { return nil }
    let tenths = Int((doneSeconds / elapsed * 10).rounded())
    let number =
      tenths < 100 ? "\(tenths / 10).\(tenths % 10)" : "\(Int((doneSeconds / elapsed).rounded()))"
    return number + "x real time"
  }

  private var eta: String? {
    guard let total = knownTotal, doneSeconds > 0, elapsed > 0 else { return nil }
    return "ETA " + Self.clock(elapsed * max(0, total - doneSeconds) / doneSeconds)
  }

  private func bar(_ fraction: Double, cells: Int) -> String {
    // Full only when all is done.
    let full = Int(fraction * Double(cells))
    return "[" + String(repeating: "#", count: full)
      + String(repeating: "-", count: cells - full) + "]"
  }

  /// `MM:SS`, from an hour on `H:MM:SS`.
  private static func clock(_ time: Double) -> String {
    let seconds = Int(min(max(time.isFinite ? time : 0, 0), 1e9).rounded())
    let parts = [seconds / 60 % 60, seconds % 60].map { NumberText.padded($0, digits: 2) }
    return (seconds >= 3600 ? "\(seconds / 3600):" : "") + parts.joined(separator: ":")
  }
}
