import ArgumentParser
import Audio
import Foundation
import Recognizer
import Tensor
import TextFormatting
import Transcripts

extension Latency: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }

  public static var allValueStrings: [String] { named.map(\.name) + ["C/R"] }
}

extension LeftContext: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension PCMEncoding: ExpressibleByArgument {}

/// The options of every command that recognises.
struct RecognitionArguments: ParsableArguments {
  @Option(help: "Folder of the model, or the name of a shipped one. (default: starling-en-small)")
  var model: String?

  @Option(
    help: ArgumentHelp(
      "Delay between sound and text: a name, or C/R in frames of 40 ms (C new, R look-ahead).",
      valueName: "160ms|320ms|640ms|960ms|1280ms|full|C/R"))
  var latency: Latency?

  @Option(
    help: ArgumentHelp(
      "Frames of 40 ms that attention looks back on, or 'unlimited'.", valueName: "frames"))
  var leftContext: LeftContext?

  @Option(help: "Threads of one matrix product.")
  var threads: Int = 1

  func validate() throws {
    guard (1...256).contains(threads) else {
      throw ValidationError("--threads is \(threads), expected 1 to 256")
    }
  }

  /// Loads the model and sets the process up for it; says what is wrong if it cannot.
  func loadModel() throws -> RecognizerModel {
    do { return try makeModel() } catch { throw Terminal.failure(error) }
  }

  /// As `loadModel`, but says nothing.
  func makeModel() throws -> RecognizerModel {
    Parallel.setThreads(threads)
    return try RecognizerModel(directory: try ModelLocator.model(model))
  }
}

/// What is done to the text of finished utterances.
struct TextArguments: ParsableArguments {
  @Flag(help: "Write English numbers, dates and money of final results in figures.")
  var formatNumbers = false

  var postProcessor: (any PostProcessor)? { formatNumbers ? EnglishNumberFormatter() : nil }
}

extension RecognitionResult {
  /// A final result with its words processed; a partial one as it is.
  func processed(by processor: (any PostProcessor)?) -> RecognitionResult {
    guard kind == .final, let processor else { return self }
    var result = self
    result.words = processor.process(words)
    if result.words != words {
      result.text = result.words.map(\.word).joined(separator: " ")
      result.committed = result.text
    }
    for index in alternatives.indices {
      let words = processor.process(alternatives[index].words)
      guard words != alternatives[index].words else { continue }
      result.alternatives[index].words = words
      result.alternatives[index].text = words.map(\.word).joined(separator: " ")
    }
    return result
  }
}

extension TranscriptAlternative {
  init(_ alternative: Alternative) {
    self.init(text: alternative.text, words: alternative.words, scores: alternative.scores)
  }
}

/// The options that say what headerless audio on standard input is.
struct RawAudioArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Encoding of headerless audio on standard input.",
      valueName: PCMEncoding.allCases.map(\.rawValue).joined(separator: "|")))
  var encoding: PCMEncoding?

  @Option(help: "Sample rate of headerless audio on standard input, in Hz.")
  var sampleRate: Int?

  @Option(help: "Channels of headerless audio on standard input.")
  var channels: Int?

  @Option(help: "Channel to hear, from 1. (default: the mean of all)")
  var channel: Int?

  var selection: ChannelSelection { channel.map { .channel($0) } ?? .downmix }

  /// Whether the user has said what headerless audio is.
  var isDeclared: Bool { encoding != nil || sampleRate != nil || channels != nil }

  func makeByteStream(outputRate: Int) throws -> AudioByteStream {
    try AudioByteStream(
      encoding: encoding ?? .s16le, sampleRate: sampleRate ?? 16_000, channels: channels ?? 1,
      channel: selection, outputRate: outputRate)
  }

  func validate() throws {
    if let channel, channel < 1 {
      throw ValidationError("--channel is \(channel), expected 1 for the first channel or more")
    }
  }
}
