import ArgumentParser
import Decoding
import Foundation
import Recognizer
import Transcripts

/// How an alignment is written out.
enum AlignmentFormat: String, CaseIterable, ExpressibleByArgument {
  case ctm, json, textgrid, srt

  func render(_ alignment: TextAlignment, file: String, duration: Double) -> String {
    let transcript = Transcript(
      file: file, duration: duration,
      segments: alignment.lines.map { words in
        TranscriptSegment(
          text: words.map(\.word).joined(separator: " "), start: words[0].start,
          end: words[words.count - 1].end, words: words)
      })
    return switch self {
    case .ctm: TranscriptFormat.ctm.render(transcript)
    case .json: TranscriptFormat.json.render(transcript)
    case .srt: TranscriptFormat.srt.render(transcript)
    case .textgrid: TextGrid(alignment, duration: duration).text
    }
  }
}

struct AlignCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "align",
    abstract: "Say when each word of a given text is spoken.",
    discussion: """
      The text must be what is said, written as it is spoken: numbers in words. Its lines become \
      the segments of json and the breaks of srt. textgrid has a tier of words and one of tokens.
      """)

  @OptionGroup var recognition: RecognitionArguments
  @OptionGroup var raw: RawAudioArguments

  @Argument(help: "Audio file, or - for standard input.")
  var audio: String

  @Argument(help: ArgumentHelp("File of the text, in UTF-8.", valueName: "text-file"))
  var textFile: String?

  @Option(help: "The text itself, in place of a file.")
  var text: String?

  @Option(
    help: ArgumentHelp(
      "Form of the result.",
      valueName: AlignmentFormat.allCases.map(\.rawValue).joined(separator: "|")))
  var format: AlignmentFormat = .ctm

  @Option(help: "File for the result. (default: standard output)")
  var output: String?

  func validate() throws {
    guard (textFile == nil) != (text == nil) else {
      throw ValidationError("name a file of the text or give the text by --text, one of the two")
    }
  }

  func run() throws {
    do {
      let rendered = try align()
      if let output {
        try AtomicOutput.write(rendered, to: output)
      } else {
        try Terminal.print(rendered)
      }
    } catch let error as ExitCode {
      throw error
    } catch {
      throw Terminal.failure(error)
    }
  }

  private func align() throws -> String {
    let given = try readText()
    let model = try recognition.loadModel()
    let spelled: SpelledText
    do {
      spelled = try TextAligner.spell(given, model: model)
    } catch {
      throw TextFault(file: textFile, reason: "\(error)")
    }
    let source = try AudioSource(path: audio, raw: raw, sampleRate: model.sampleRate)
    let aligner = TextAligner(
      model: model, latency: recognition.latency ?? .fullContext,
      leftContext: recognition.leftContext)
    while let samples = try source.next() { aligner.accept(samples) }
    let alignment: TextAlignment
    do {
      alignment = try aligner.finish(spelled)
    } catch {
      throw TextFault(file: audio, reason: "\(error)")
    }
    return format.render(alignment, file: audio, duration: aligner.duration)
  }

  private func readText() throws -> String {
    guard let textFile else { return text ?? "" }
    guard let data = FileManager.default.contents(atPath: textFile) else {
      throw TextFault(file: textFile, reason: "cannot be read")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw TextFault(file: textFile, reason: "expected UTF-8 text, found other bytes")
    }
    return text
  }
}

/// What is wrong with a text, or with it and an audio file.
private struct TextFault: Error, CustomStringConvertible {
  /// nil for text from the command line.
  let file: String?
  let reason: String

  var description: String { (file.map { "'\($0)'" } ?? "--text") + ": \(reason)" }
}
