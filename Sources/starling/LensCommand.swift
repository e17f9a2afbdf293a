import ArgumentParser
import Recognizer
import Transcripts

struct LensCommand: ParsableCommand {
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text, json
  }

  static let configuration = CommandConfiguration(
    commandName: "lens",
    abstract: "Show what each encoder layer hears, to see into a model.",
    discussion: """
      Reads the CTC head off the output of every layer. The last layer says what transcribe says; \
      the layers before it show how the text takes shape.
      """)

  @OptionGroup var recognition: RecognitionArguments
  @OptionGroup var raw: RawAudioArguments

  @Argument(help: "Audio file, or - for standard input.")
  var audio: String

  @Option(help: "Only this layer, from 1.")
  var layer: Int?

  @Option(
    help: ArgumentHelp("text has a line per layer: number, tab, text.", valueName: "text|json"))
  var format: Format = .text

  func run() throws {
    let model = try recognition.loadModel()
    if let layer, !(1...model.layerCount).contains(layer) {
      throw Terminal.failure(
        "--layer is \(layer), expected 1 to \(model.layerCount), the layers of the model")
    }
    do {
      let source = try AudioSource(path: audio, raw: raw, sampleRate: model.sampleRate)
      let lens = EncoderLens(
        model: model, latency: recognition.latency ?? .fullContext,
        leftContext: recognition.leftContext)
      while let samples = try source.next() { lens.accept(samples) }
      let layers = lens.finish().enumerated().map {
        LayerTranscript.Layer(number: $0 + 1, text: $1)
      }
      let transcript = LayerTranscript(
        file: audio, duration: lens.duration,
        layers: layers.filter { layer == nil || $0.number == layer })
      try Terminal.print(format == .json ? transcript.json : transcript.text)
    } catch {
      throw Terminal.failure(error)
    }
  }
}
