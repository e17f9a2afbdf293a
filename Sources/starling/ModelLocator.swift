import Foundation

/// Finds the shipped models from any working directory.
enum ModelLocator {
  static let shippedName = "starling-en-small"

  private static let voiceActivityFile = "silero-vad/silero_vad_16k.safetensors"

  struct NotFound: Error, CustomStringConvertible {
    let file: String
    let searched: [String]
    /// What else would help.
    var remedy: String?

    var description: String {
      "no model: expected \(file) in \(searched.joined(separator: " or ")); run starling from its "
        + "checkout or installation" + (remedy.map { ", or \($0)" } ?? "")
    }
  }

  /// `$STARLING_MODEL`, else the shipped folder.
  static func shippedModel() throws(NotFound) -> String {
    if let named = ProcessInfo.processInfo.environment["STARLING_MODEL"], !named.isEmpty {
      return named
    }
    let config = "/config.json"
    let remedy = "name a model folder with --model or STARLING_MODEL"
    return String(try shipped(shippedName + config, remedy).dropLast(config.count))
  }

  /// The shipped weights of Silero VAD.
  static func voiceActivityModel() throws(NotFound) -> String {
    try shipped(voiceActivityFile)
  }

  /// A file in `models/` beside or above the executable (a checkout), or in
  /// `share/starling/models` beside its `bin` (an installation).
  private static func shipped(
    _ file: String, _ remedy: String? = nil
  ) throws(NotFound) -> String {
    var searched: [String] = []
    guard
      var folder = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    else { throw NotFound(file: file, searched: ["/proc/self/exe's folder"], remedy: remedy) }
    while folder != "/", !folder.isEmpty {
      folder = (folder as NSString).deletingLastPathComponent
      let root = folder == "/" ? "" : folder
      for place in ["models", "share/starling/models"] {
        let path = "\(root)/\(place)/\(file)"
        if FileManager.default.fileExists(atPath: path) { return path }
        searched.append("\(root)/\(place)")
      }
    }
    // The nearest places say enough.
    throw NotFound(file: file, searched: Array(searched.prefix(2)), remedy: remedy)
  }
}
