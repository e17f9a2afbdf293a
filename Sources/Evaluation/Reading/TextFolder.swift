import Foundation

/// A folder of texts, as `starling transcribe --output` writes it.
enum TextFolder {
  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// Every .txt file below the folder, sorted; its id is its path within it, without extension.
  static func utterances(_ folder: String) throws(EvaluationError) -> [Utterance] {
    let found = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    let names = found.filter { $0.hasSuffix(".txt") && !$0.hasSuffix(".trans.txt") }.sorted()
    guard !names.isEmpty else { throw EvaluationError(folder, "expected .txt files, found none") }
    var utterances: [Utterance] = []
    for name in names {
      let file = try TextFile(folder + (folder.hasSuffix("/") ? "" : "/") + name)
      utterances.append(Utterance(id: String(name.dropLast(4)), text: file.text, line: 1))
    }
    return utterances
  }
}
