import ArgumentParser
import Checkpoints
import Foundation
import Recognizer

struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Look at models, import them and make them smaller.",
    subcommands: [Info.self, Import.self, Quantize.self])

  struct Info: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Check a model folder and say what is in it.")

    @Argument(
      help: "Folder of the model, or the name of a shipped one. (default: starling-en-small)")
    var directory: String?

    func run() throws {
      do {
        let directory = try ModelLocator.model(directory)
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
  struct Quantize: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make an int8 model folder of a model folder.",
      discussion: """
        The large matrices become int8, with a scale for each of their outputs, and are multiplied \
        as integers: the model is smaller and faster and hears almost the same. The model itself \
        is left as it is.
        """)

    @Option(help: "Folder of the model, or the name of a shipped one. (default: starling-en-small)")
    var model: String?

    @Option(help: "Folder to make.")
    var output: String

    func run() throws {
      do {
        let summary = try ModelQuantizer.quantize(
          try ModelLocator.model(model), to: output)
        // What was written must load.
        let model = try RecognizerModel(directory: output)
        let description = try ModelDescription(directory: output, model: model)
        try Terminal.print(description.text + Self.text(summary))
      } catch {
        throw Terminal.failure(error)
      }
    }

    private static func text(_ summary: ModelQuantizer.Summary) -> String {
      String(
        format: "quantised    %d matrices, %.1f M weights; %.1f MiB of weights became %.1f MiB\n",
        summary.matrices, Double(summary.weights) / 1e6, Double(summary.bytesBefore) / 1_048_576,
        Double(summary.bytesAfter) / 1_048_576)
    }
  }
}
