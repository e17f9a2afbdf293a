import ArgumentParser
import Audio
import Foundation
import Recognizer
import Transcripts

struct StreamCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stream",
    abstract: "Transcribe live audio from standard input as it comes.",
    discussion: """
      Takes a WAV stream or headerless PCM (16-bit 16 kHz mono unless you say otherwise):

        arecord -q -f S16_LE -r 16000 -c 1 | starling stream

      Text shows the current words on one line that is rewritten as they settle; the part that may \
      still change is dim. Into a pipe it prints one line per finished utterance. jsonl prints an \
      object for every change. Control-C ends the audio, not the text.
      """)

  @OptionGroup var recognition: RecognitionArguments
  @OptionGroup var decoding: DecodingArguments
  @OptionGroup var raw: RawAudioArguments
  @OptionGroup var text: TextArguments

  @Option(
    help: ArgumentHelp(
      "text for people, jsonl for programs.", valueName: "text|jsonl"))
  var format: TranscriptFormat = .text

  @Flag(help: "Show words only once they will not change before the utterance ends.")
  var stable = false

  func validate() throws {
    guard format == .text || format == .jsonl else {
      throw ValidationError("stream prints text or jsonl; for \(format.rawValue) use transcribe")
    }
  }

  func run() throws {
    StandardInput.endOnInterrupt()
    let model = try recognition.loadModel()
    let stream = model.makeStream(try options(model))
    let writer = StreamWriter(format: format, postProcessor: text.postProcessor)
    var failure: (any Error)?
    do {
      try listen(model) { try writer.write(stream.accept($0)) }
    } catch let error as OutputClosed {
      throw Terminal.failure(error)
    } catch {
      failure = error
    }
    // What was heard before an error is still said; input that was refused said nothing.
    if failure == nil || stream.duration > 0 {
      do { try writer.write(stream.finish()) } catch { throw Terminal.failure(error) }
    }
    if let failure { throw Terminal.failure(failure) }
  }

  private func options(_ model: RecognizerModel) throws -> RecognizerOptions {
    do {
      return RecognizerOptions(
        latency: recognition.latency, leftContext: recognition.leftContext,
        endpointRules: decoding.endpointRules,
        voiceActivityDetector: try decoding.voiceActivityDetector(),
        decoding: try decoding.options(model),
        wantsPartials: format == .jsonl || Terminal.outputIsTerminal, isStable: stable)
    } catch {
      throw Terminal.failure(error)
    }
  }

  /// Hands over the samples of standard input until it ends.
  private func listen(_ model: RecognizerModel, _ accept: ([Float]) throws -> Void) throws {
    let source = try AudioSource(live: raw, sampleRate: model.sampleRate)
    while let samples = try source.next() { try accept(samples) }
  }
}
