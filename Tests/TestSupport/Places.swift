import Foundation

/// Folders that tests read.
public enum Places {
  /// The checkout.
  public static let package = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  /// The shipped model.
  public static let shippedModel = package + "/models/starling-en-small"

  /// The shipped model with int8 weights.
  public static let shippedInt8Model = shippedModel + "-int8"

  /// The shipped audio samples.
  public static let samples = package + "/audio-samples"

  /// Reference data beside the checkout; tests that need it skip where it is missing.
  public static let shared = package + "/../shared"

  public static let hasShared = FileManager.default.fileExists(
    atPath: shared + "/goldens/starling-en-small/text.tsv")

  /// A new empty folder, which the caller removes.
  public static func temporaryFolder() -> String {
    let path = NSTemporaryDirectory() + "starling-test-" + UUID().uuidString
    try! FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
  }
}
