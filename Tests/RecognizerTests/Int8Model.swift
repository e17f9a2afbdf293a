import Checkpoints
import Foundation
import Recognizer
import TestSupport

/// The shipped model as `ModelQuantizer` makes it int8.
enum Int8Model {
  static let shared: RecognizerModel = {
    let folder = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    _ = try! ModelQuantizer.quantize(Places.shippedModel, to: folder + "/int8")
    return try! RecognizerModel(directory: folder + "/int8")
  }()
}
