import ArgumentParser
import Checkpoints
import Conformer
import Foundation
import Recognizer
import Tensor

struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Look at models and import them.",
    subcommands: [Info.self, Import.self])

  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check a model folder and say what is in it.")

    @Argument(help: "Folder of the model. (default: the shipped one)")
    var directory: String?

    func run() throws {
      do {
        let directory = try directory ?? ModelLocator.shippedModel()
        let model = try RecognizerModel(directory: directory)
        try Terminal.print(try ModelDescription(directory: directory, model: model).text)
      } catch {
        throw Terminal.failure(error)
      }
    }
  }

  struct Import: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Turn a NeMo Conformer-CTC checkpoint into a model folder.")

    @Argument(help: "The .nemo file.")
    var file: String

    @Option(help: "Folder to make.")
    var output: String

    func run() throws {
      do {
        try NeMoImporter.importModel(from: file, to: output)
        // What was written must load.
        let model = try RecognizerModel(directory: output)
        try Terminal.print(try ModelDescription(directory: output, model: model).text)
      } catch {
        throw Terminal.failure(error)
      }
    }
  }
}

/// A model folder in words.
private struct ModelDescription {
  let text: String

  init(directory: String, model: RecognizerModel) throws {
    let config = try ModelConfig.load(directory + "/config.json")
    let file = try SafetensorsFile(path: directory + "/model.safetensors")
    func parameters(_ prefix: String) -> Int {
      file.entries.filter { $0.key.hasPrefix(prefix) }
        .reduce(0) { $0 + $1.value.shape.reduce(1, *) }
    }
    let types = Set(file.entries.values.map(\.type)).sorted().joined(separator: ", ")
    let (e, s) = (config.encoder, config.streaming)
    func millions(_ count: Int) -> String { String(format: "%.1f M", Double(count) / 1e6) }
    var lines = [
      "model        \(config.model)",
      "folder       \(directory)",
      "parameters   \(millions(parameters(""))) (encoder \(millions(parameters("encoder."))), "
        + "decoder \(millions(parameters("decoder.")))), stored as \(types)",
      "features     \(config.features.type.rawValue), \(config.features.mels) mels, "
        + "\(config.features.sampleRate) Hz, normalisation \(config.features.normalize.rawValue)",
      "encoder      \(e.layers) Conformer layers, d \(e.width), \(e.heads) heads, feed-forward "
        + "\(e.feedForwardWidth), kernel \(e.convolutionKernel), \(e.subsamplingFactor)x subsampling",
      "ctc          \(config.ctc.vocabulary) classes, blank \(config.ctc.blank)",
    ]
    if let d = config.decoder {
      lines.append(
        "decoder      \(d.leftLayers) layers left to right, \(d.rightLayers) right to left, "
          + "d \(d.width), \(d.heads) heads")
    } else {
      lines.append("decoder      none")
    }
    lines.append(
      "streaming    blocks of \(s.blockFrames) + \(s.lookAheadFrames) frames of 40 ms, left "
        + "context \(s.leftFrames); \(model.makeStream().byteCount / 1024) KiB per stream")
    text = lines.joined(separator: "\n") + "\n"
  }
}
