import Foundation
import Logging
import Transcripts

/// A line of JSON on standard error for every event.
struct JSONLogHandler: LogHandler {
  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let time = Date().formatted(.iso8601.time(includingFractionalSeconds: true))
    let own: [(String, JSONText)] = [
      ("time", .string(time)), ("level", .string(event.level.rawValue)),
      ("message", .string("\(event.message)")),
    ]
    let all = metadata.merging(event.metadata ?? [:]) { $1 }
    let members = all.sorted { $0.key < $1.key }.map { ($0.key, JSONText.string("\($0.value)")) }
    Terminal.printError(JSONText.object(own + members).compact + "\n")
  }
}
