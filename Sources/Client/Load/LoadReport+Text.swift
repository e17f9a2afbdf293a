import Foundation
import Transcripts

extension LoadReport {
  fileprivate var spreads: [(name: String, spread: Spread?)] {
    [
      ("first partial", firstPartial), ("final after end", finalAfterEnd), ("result lag", lag),
      ("send delay", sendDelay),
    ]
  }

  /// For people, line end included.
  public var text: String {
    var lines = [
      "\(load.sessions) sessions, \(load.endpoint.protocol.rawValue) at \(load.endpoint.address): "
        + String(format: "%d files, %.1f s of audio in %.1f s", hearings, audioSeconds, seconds),
      "failures: " + (failures.isEmpty ? "none" : failureCounts),
      "seconds               p50      p95      p99      max       of",
    ]
    for (name, spread) in spreads {
      guard let spread else { continue }
      let label = name.padding(toLength: 16, withPad: " ", startingAt: 0)
      lines.append(
        label
          + String(
            format: "%9.3f%9.3f%9.3f%9.3f%9d", spread.p50, spread.p95, spread.p99, spread.max,
            spread.count))
    }
    lines.append(
      differing == 0
        ? "texts: the same in all sessions"
        : "texts: \(differing) differ, of "
          + files.filter { $0.differing > 0 }.map(\.name).joined(separator: ", "))
    lines.append(String(format: "processor time of this client: %.2f s", processorSeconds))
    return lines.joined(separator: "\n") + "\n"
  }

  /// For programs: one object on one line, line end included.
  public var json: String {
    let failed = failures.sorted { $0.key < $1.key }.map { ($0.key, JSONText.count($0.value)) }
    let heard = files.map { file in
      JSONText.object([
        ("file", .string(file.name)), ("heard", .count(file.heard)),
        ("differing", .count(file.differing)), ("text", .string(file.text)),
      ])
    }
    let members: [(String, JSONText)] = [
      ("server", .string("\(load.endpoint.address)")),
      ("protocol", .string(load.endpoint.protocol.rawValue)),
      ("sessions", .count(load.sessions)), ("paced", .bool(load.isPaced)),
      ("hearings", .count(hearings)), ("audio_seconds", .seconds(audioSeconds)),
      ("seconds", .seconds(seconds)), ("processor_seconds", .seconds(processorSeconds)),
      ("failures", .object(failed)),
    ]
    let times = spreads.map {
      ($0.name.replacing(" ", with: "_"), $0.spread.map(JSONText.spread) ?? .null)
    }
    return JSONText.object(
      members + times + [("differing", .count(differing)), ("files", .array(heard))]
    ).compact + "\n"
  }
}

extension JSONText {
  fileprivate static func count(_ value: Int) -> JSONText { .number(String(value)) }

  fileprivate static func spread(_ spread: Spread) -> JSONText {
    .object([
      ("count", .count(spread.count)), ("p50", .seconds(spread.p50)), ("p95", .seconds(spread.p95)),
      ("p99", .seconds(spread.p99)), ("max", .seconds(spread.max)),
    ])
  }
}
