import Conformer
import Foundation
import Tensor

/// Writes a model folder to a temporary one beside it and renames that at the end, so that
/// nothing half-written is ever found under the final name.
struct ModelFolderWriter {
  private let directory: String

  /// Refuses a `directory` that is there and not empty.
  init(_ directory: String) throws(CheckpointError) {
    self.directory = URL(fileURLWithPath: directory).standardizedFileURL.path
    let manager = FileManager.default
    var isDirectory: ObjCBool = false
    if manager.fileExists(atPath: self.directory, isDirectory: &isDirectory) {
      let content = try? manager.contentsOfDirectory(atPath: self.directory)
      guard isDirectory.boolValue, content?.isEmpty == true else {
        throw .outputExists(directory: directory)
      }
    }
    guard manager.fileExists(atPath: parent, isDirectory: &isDirectory), isDirectory.boolValue
    else {
      throw .unwritable(
        path: directory, reason: "the folder '\(parent)' is not there; make it first")
    }
  }

  private var parent: String { (directory as NSString).deletingLastPathComponent }

  /// Writes a model that is new: its config, weights and vocabulary, and a card.
  func write(
    config: ModelConfig, tensors: [StoredTensor], pieces: [String], card: String
  ) throws(CheckpointError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let json: Data
    do {
      json = try encoder.encode(config) + Data("\n".utf8)
    } catch {
      throw .unwritable(path: directory, reason: "\(error)")
    }
    let tokens = pieces.map { $0 + "\n" }.joined()
    try write(
      [
        ("config.json", json), ("tokens.txt", Data(tokens.utf8)), ("README.md", Data(card.utf8)),
      ], tensors: tensors)
  }

  /// Writes `files` as they are and `tensors` as `model.safetensors`.
  func write(
    _ files: [(name: String, data: Data)], tensors: [StoredTensor]
  ) throws(CheckpointError) {
    let name = (directory as NSString).lastPathComponent
    let temporary = URL(fileURLWithPath: parent)
      .appendingPathComponent(".\(name).\(UUID().uuidString)")
    do {
      try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: false)
      for file in files { try file.data.write(to: temporary.appendingPathComponent(file.name)) }
      try SafetensorsWriter.write(
        tensors, to: temporary.appendingPathComponent("model.safetensors").path)
      // rename(2) replaces an empty folder and nothing else.
      guard rename(temporary.path, directory) == 0 else {
        throw CheckpointError.unwritable(
          path: directory, reason: String(cString: strerror(errno)))
      }
    } catch {
      try? FileManager.default.removeItem(at: temporary)
      throw error as? CheckpointError ?? .unwritable(path: directory, reason: "\(error)")
    }
  }
}
