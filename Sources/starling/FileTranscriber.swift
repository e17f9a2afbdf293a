import Audio
import Recognizer
import TextFormatting
import Transcripts

/// Hears whole files with one set of options.
struct FileTranscriber: Sendable {
  let model: RecognizerModel
  let options: RecognizerOptions
  let raw: RawAudioArguments
  let processor: (any PostProcessor)?

  init(
    _ model: RecognizerModel, _ recognition: RecognitionArguments, _ decoding: DecodingArguments,
    raw: RawAudioArguments, processor: (any PostProcessor)?
  ) throws {
    self.model = model
    self.raw = raw
    self.processor = processor
    options = RecognizerOptions(
      latency: recognition.latency ?? .fullContext, leftContext: recognition.leftContext,
      endpointRules: decoding.endpointRules,
      voiceActivityDetector: try decoding.voiceActivityDetector(),
      decoding: try decoding.options(model), wantsPartials: false)
  }

  /// - Parameter heard: told the seconds of every portion.
  func transcript(
    of path: String, _ workspace: Workspace, heard: (Double) -> Void
  ) throws -> Transcript {
    let source = try AudioSource(path: path, raw: raw, sampleRate: model.sampleRate)
    let stream = model.makeStream(options, workspace: workspace)
    var finals: [RecognitionResult] = []
    // Silence is no segment, however often it ends an utterance.
    func keep(_ results: [RecognitionResult]) { finals += results.filter { !$0.text.isEmpty } }
    while let samples = try source.next() {
      keep(stream.accept(samples))
      heard(Double(samples.count) / Double(model.sampleRate))
    }
    keep(stream.finish())
    let segments = finals.map { $0.processed(by: processor) }.filter { !$0.text.isEmpty }.map {
      TranscriptSegment(
        text: $0.text, start: $0.start, end: $0.end, words: $0.words,
        alternatives: $0.alternatives.map(TranscriptAlternative.init))
    }
    return Transcript(file: path, duration: stream.duration, segments: segments)
  }
}
