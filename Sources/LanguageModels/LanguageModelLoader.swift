public import Decoding
import Foundation

/// Opens a language model of whichever kind its path names.
public enum LanguageModelLoader {
  /// A language model for rescoring.
  ///
  /// - Parameters:
  ///   - path: a folder is a Transformer (`TransformerLanguageModel`), a file an n-gram model in
  ///     ARPA format, over words or pieces, plain or gzip.
  ///   - vocabulary: the acoustic model's.
  /// - Throws: `LanguageModelError`; of a folder also `ModelError`, `VocabularyError` or
  ///   `WeightError`.
  public static func load(
    _ path: String, vocabulary: Vocabulary
  ) throws -> any SequenceLanguageModel {
    var isDirectory: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    if isDirectory.boolValue {
      return try TransformerLanguageModel(directory: path, vocabulary: vocabulary)
    }
    let model = try NGramModel(contentsOf: path)
    return model.isOverPieces
      ? try TokenLanguageBias(model, vocabulary: vocabulary)
      : try WordLanguageBias(model, vocabulary: vocabulary)
  }
}
