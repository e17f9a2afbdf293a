import ArgumentParser
import Recognizer
import Transcripts

struct LensCommand: ParsableCommand {
  enum Format: String, CaseIterable, ExpressibleByArgument {
    case text, json
  }

  enum Through: String, CaseIterable, ExpressibleByArgument {
    case ctc, decoder
    case decoderLayers = "decoder-layers"
  }

  static let configuration = CommandConfiguration(
    commandName: "lens",
    abstract: "Show what each layer hears, to see into a model.",
    discussion: """
      Through 'ctc', reads the CTC head off the output of every encoder layer. The last layer says \
      what transcribe says; the layers before it show how the text takes shape. Through 'decoder', \
      the attention decoder reads the output of every encoder layer; its text of the last layer is \
      that of --final-pass draft. Through 'decoder-layers', the decoder reads the CTC text, and its \
      output head shows after each of its layers which token it expects at each place.
      """)

  @OptionGroup var recognition: RecognitionArguments
  @OptionGroup var raw: RawAudioArguments

  @Argument(help: "Audio file, or - for standard input.")
  var audio: String

  @Option(
    help: ArgumentHelp(
      "What is read off the layers, and of which.",
      valueName: Through.allCases.map(\.rawValue).joined(separator: "|")))
  var through: Through = .ctc

  @Option(help: "Only this layer, from 1.")
  var layer: Int?

  @Option(
    help: ArgumentHelp("text has a line per layer: number, tab, text.", valueName: "text|json"))
  var format: Format = .text

  func run() throws {
    let model = try recognition.loadModel()
    let lens = try makeLens(model)
    if let layer, !(1...lens.layerCount).contains(layer) {
      throw Terminal.failure(
        "--layer is \(layer), expected 1 to \(lens.layerCount), the layers of the "
          + (through == .decoderLayers ? "decoder" : "model"))
    }
    do {
      let source = try AudioSource(path: audio, raw: raw, sampleRate: model.sampleRate)
      while let samples = try source.next() { lens.accept(samples) }
      let layers = lens.finish().enumerated().map {
        LayerTranscript.Layer(number: $0 + 1, text: $1)
      }
      let transcript = LayerTranscript(
        file: audio, through: through == .ctc ? nil : through.rawValue, duration: lens.duration,
        layers: layers.filter { layer == nil || $0.number == layer })
      try Terminal.print(format == .json ? transcript.json : transcript.text)
    } catch {
      throw Terminal.failure(error)
    }
  }

  private func makeLens(_ model: RecognizerModel) throws -> any LayerLens {
    let latency = recognition.latency ?? .fullContext
    let leftContext = recognition.leftContext
    switch through {
    case .ctc:
      return EncoderLens(model: model, latency: latency, leftContext: leftContext)
    case .decoder, .decoderLayers:
      do {
        return try DecoderLens(
          model: model, layers: through == .decoder ? .encoder : .decoder, latency: latency,
          leftContext: leftContext)
      } catch {
        throw Terminal.failure(error)
      }
    }
  }
}
