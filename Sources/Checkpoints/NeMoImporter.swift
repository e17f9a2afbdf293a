import Conformer
import Foundation
import Tensor

/// Turns an NVIDIA NeMo Conformer-CTC archive into a model folder.
public enum NeMoImporter {
  private static let yamlName = "model_config.yaml"
  private static let weightsName = "model_weights.ckpt"

  /// Reads the `.nemo` file at `nemoPath` and writes a model folder (docs/model-format.md) that
  /// appears at `directory` complete or not at all.
  ///
  /// - Parameter directory: a new or empty folder; its parent must be there.
  public static func importModel(
    from nemoPath: String, to directory: String
  ) throws(CheckpointError) {
    let folder = try ModelFolderWriter(directory)
    let archive = try TarArchive(path: nemoPath) { name in
      [yamlName, weightsName].contains(name) || name.hasSuffix("tokenizer.vocab")
        || name.hasSuffix("vocab.txt")
    }
    guard let yaml = archive.data(yamlName) else {
      throw .missingMember(file: nemoPath, member: yamlName)
    }
    guard let weights = archive.data(weightsName) else {
      throw .missingMember(file: nemoPath, member: weightsName)
    }
    let yamlFile = "\(nemoPath): \(yamlName)"
    let nemo = try NeMoConfig(yaml: yaml, file: yamlFile)
    let vocabulary = try NeMoVocabulary(nemo, archive: archive, file: yamlFile)
    let origin = URL(fileURLWithPath: nemoPath)
    let config = try nemo.modelConfig(
      model: origin.deletingPathExtension().lastPathComponent, pieces: vocabulary.pieces.count,
      file: yamlFile)
    let checkpoint = try TorchCheckpoint(weights, source: "\(nemoPath): \(weightsName)")
    let tensors = try NeMoTensors(config).load(checkpoint)
    try folder.write(
      config: config, tensors: tensors, pieces: vocabulary.pieces,
      card: card(config, origin: origin.lastPathComponent))
  }

  private static func card(_ config: ModelConfig, origin: String) -> String {
    let encoder = config.encoder
    return """
      # \(config.model)

      Imported by Starling from the NVIDIA NeMo archive `\(origin)`: a Conformer-CTC model of \
      \(encoder.layers) layers, width \(encoder.width), \(encoder.heads) heads, with \
      \(config.ctc.vocabulary - 1) pieces and a blank. The weights are those of the archive; \
      the CTC layer's tensors were renamed.

      **Licence:** see the original model's licence. It governs these weights too, and it may ask \
      you to name the origin when you pass them on.

      The model was trained on whole utterances. The streaming settings in `config.json` are \
      Starling's defaults, not the outcome of a measurement on this model.

      """
  }
}
