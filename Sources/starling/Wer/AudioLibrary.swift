import Audio
import Evaluation
import Foundation

/// Finds the audio of utterances in a folder.
struct AudioLibrary {
  let folder: String
  /// By path within the folder without extension, and by name alone where that is one file's only.
  private let paths: [String: String]

  /// - Throws: `AudioError` if the folder cannot be read. It may be empty: references may name
  ///   their audio by its whole path.
  init(folder: String) throws {
    self.folder = folder
    var paths: [String: String] = [:]
    var shared: Set<String> = []
    var files: [String] = []
    do {
      files = try AudioFiles.list(folder: folder)
    } catch AudioError.noAudioFiles {}
    for file in files {
      let stem = (Self.name(file) as NSString).deletingPathExtension
      if paths.updateValue(file, forKey: stem) != nil { shared.insert(stem) }
    }
    for stem in shared { paths[stem] = nil }
    let root = folder.hasSuffix("/") ? folder : folder + "/"
    for file in files {
      paths[(String(file.dropFirst(root.count)) as NSString).deletingPathExtension] = file
    }
    self.paths = paths
  }

  /// The audio that the reference names, or that is called as its id.
  func path(of utterance: Utterance) -> String? {
    if let audio = utterance.audio {
      let inside = folder + "/" + audio
      if FileManager.default.fileExists(atPath: inside) { return inside }
      if audio.hasPrefix("/"), FileManager.default.fileExists(atPath: audio) { return audio }
    }
    return paths[utterance.id] ?? paths[Self.name(utterance.id)]
  }

  private static func name(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}
