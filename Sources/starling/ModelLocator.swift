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

  /// The model folder that a user means: a folder, or the name of a shipped one; without either
  /// `$STARLING_MODEL`, else the shipped default.
  static func model(_ given: String?) throws(NotFound) -> String {
    let variable = ProcessInfo.processInfo.environment["STARLING_MODEL"] ?? ""
    guard let named = given ?? (variable.isEmpty ? nil : variable) else {
      return try shippedFolder(shippedName)
    }
    // Whoever names a folder that is not there hears of that folder.
    let isName = !named.isEmpty && !named.contains("/")
    guard isName, !FileManager.default.fileExists(atPath: named) else { return named }
    return (try? shippedFolder(named)) ?? named
  }

  private static func shippedFolder(_ name: String) throws(NotFound) -> String {
    let config = "/config.json"
    let remedy = "name a model folder with --model or STARLING_MODEL"
    return String(try shipped(name + config, remedy).dropLast(config.count))
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
