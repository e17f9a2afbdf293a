public import Decoding

/// Places a given text in one recording: hears it as a stream does, then aligns.
///
/// Holds the log-probabilities of the whole recording: with 1,025 classes some 100 KB per second.
public final class TextAligner {
  private let model: RecognizerModel
  private let stream: RecognizerStream
  private let recorder = Recorder()

  /// Log-probabilities of all frames so far. [frames · vocabulary]
  private final class Recorder {
    var values: [Float] = []
  }

  /// Pairs of frame and token up to which the exact alignment is found, in a quarter of a minute
  /// or so: an hour and a half of speech. Beyond, `bandTokens` are kept around the best path.
  private static let mostExactPairs = 5_000_000_000
  private static let bandTokens = 5000

  /// - Parameter latency: how much context the encoder has; all by default.
  public init(
    model: RecognizerModel, latency: Latency = .fullContext, leftContext: LeftContext? = nil,
    workspace: Workspace = Workspace()
  ) {
    self.model = model
    stream = model.makeStream(
      RecognizerOptions(latency: latency, leftContext: leftContext, wantsPartials: false),
      workspace: workspace)
    stream.observer = StreamObserver(logProbs: { [recorder] logProbs in
      guard logProbs.frames > 0 else { return }
      recorder.values.append(
        contentsOf: UnsafeBufferPointer(
          start: logProbs[0].baseAddress, count: logProbs.frames * logProbs.vocabulary))
    })
  }

  /// Seconds of audio accepted so far.
  public var duration: Double { stream.duration }

  /// The text in the tokens of the model.
  public static func spell(
    _ text: String, model: RecognizerModel
  ) throws(SpellingError) -> SpelledText {
    let segmenter = TokenSegmenter(model.vocabulary)
    return try SpelledText(text) { try segmenter.tokens($0) }
  }

  /// Takes mono samples in ±1 at the model's sample rate.
  public func accept(_ samples: some Collection<Float>) {
    _ = stream.accept(samples)
  }

  /// Ends the audio and places `text` in it.
  public func finish(_ text: SpelledText) throws(AlignmentError) -> TextAlignment {
    _ = stream.finish()
    let tokens = text.tokens
    let frames = recorder.values.count / model.vocabulary.count
    let isExact = frames * tokens.count <= Self.mostExactPairs
    let alignment = CTCForcedAlignment(
      blank: model.vocabulary.blank, band: isExact ? nil : Self.bandTokens)
    let aligned = try recorder.values.withLogProbs(vocabulary: model.vocabulary.count) {
      logProbs throws(AlignmentError) in try alignment.align(tokens, to: logProbs)
    }
    return TextAlignment(
      text, aligned: aligned, vocabulary: model.vocabulary, assembler: model.wordAssembler,
      duration: duration)
  }
}

extension [Float] {
  /// The array as log-probabilities, [count / vocabulary, vocabulary].
  fileprivate func withLogProbs<Result>(
    vocabulary: Int, _ body: (LogProbs) throws(AlignmentError) -> Result
  ) throws(AlignmentError) -> Result {
    guard !isEmpty else {
      var none: Float = 0
      return try body(LogProbs(&none, frames: 0, vocabulary: vocabulary))
    }
    return try withUnsafeBufferPointer { buffer throws(AlignmentError) in
      try body(
        LogProbs(buffer.baseAddress!, frames: count / vocabulary, vocabulary: vocabulary))
    }
  }
}
