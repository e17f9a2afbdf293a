import Evaluation
import Foundation
import TestSupport

/// Files in a folder that is gone with the test.
final class Files {
  let folder = Places.temporaryFolder()

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Writes a file, with the folders it needs, and returns its path.
  func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    let path = folder + "/" + name
    try FileManager.default.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    return path
  }

  func write(_ name: String, _ text: String) throws -> String { try write(name, text.utf8) }

  func read(
    _ name: String, _ text: String, side: UtteranceColumns.Side = .reference,
    _ change: (inout UtteranceColumns) -> Void = { _ in }
  ) throws -> UtteranceList {
    var columns = UtteranceColumns(side)
    change(&columns)
    return try UtteranceList(path: try write(name, text), columns: columns)
  }
}
