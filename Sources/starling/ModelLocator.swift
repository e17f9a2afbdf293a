import Foundation

/// Finds the shipped model from any working directory.
enum ModelLocator {
  static let shippedName = "starling-en-small"

  struct NotFound: Error, CustomStringConvertible {
    let searched: [String]

    var description: String {
      "no model: expected \(ModelLocator.shippedName) in \(searched.joined(separator: " or ")); "
        + "name a model folder with --model or STARLING_MODEL"
    }
  }

  /// `$STARLING_MODEL`, else `models/` beside or above the executable (a checkout), else
  /// `share/starling/models` beside its `bin` (an installation).
  static func shippedModel() throws(NotFound) -> String {
    if let named = ProcessInfo.processInfo.environment["STARLING_MODEL"], !named.isEmpty {
      return named
    }
    var searched: [String] = []
    guard
      var folder = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    else { throw NotFound(searched: ["/proc/self/exe's folder"]) }
    while folder != "/", !folder.isEmpty {
      folder = (folder as NSString).deletingLastPathComponent
      let root = folder == "/" ? "" : folder
      for place in ["models", "share/starling/models"] {
        let model = "\(root)/\(place)/\(shippedName)"
        if FileManager.default.fileExists(atPath: model + "/config.json") { return model }
        searched.append("\(root)/\(place)")
      }
    }
    // The nearest places say enough.
    throw NotFound(searched: Array(searched.prefix(2)))
  }
}
