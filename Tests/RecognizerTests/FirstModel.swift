import Foundation
import TestSupport

/// The first model that was shipped: `../shared` has its weights, and goldens made from them.
enum FirstModel {
  /// Made on first use and removed when the tests end.
  static let folder: String = {
    let folder = Places.temporaryFolder()
    atexit { try? FileManager.default.removeItem(atPath: FirstModel.folder) }
    let weights = Places.shared + "/weights/starling-en-small"
    for (name, source) in [
      ("config.json", Places.package + "/Tests/RecognizerTests/Fixtures/first-model.json"),
      ("model.safetensors", weights + "/model.safetensors"),
      ("tokens.txt", weights + "/tokens.txt"),
    ] {
      try! FileManager.default.createSymbolicLink(
        atPath: folder + "/" + name, withDestinationPath: source)
    }
    return folder
  }()
}
