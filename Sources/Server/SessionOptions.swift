import Audio
import Decoding
import Recognizer
import Wire

/// Makes of what a client asks for what the recogniser does.
struct SessionOptions {
  private let loaded: LoadedModel
  var recognizer: RecognizerOptions
  /// Milliseconds between two partial results of an utterance, at least.
  var partialInterval = 0

  var model: RecognizerModel { loaded.model }

  /// The server's own choice.
  init(_ loaded: LoadedModel) {
    self.loaded = loaded
    recognizer = loaded.defaults
  }

  /// The options of the native protocol.
  init(_ native: NativeOptions, _ loaded: LoadedModel) throws(WireError) {
    self.init(loaded)
    if let name = native.latency {
      guard let latency = Latency(name) else {
        let names = Latency.named.map(\.name).joined(separator: ", ")
        throw WireError(
          .invalidValue, "the latency is '\(name)', expected \(names) or C/R", field: "latency")
      }
      recognizer.latency = latency
    }
    if let name = native.finalPass {
      guard let pass = FinalPass(rawValue: name) else {
        let names = FinalPass.allCases.map(\.rawValue).joined(separator: ", ")
        throw WireError(
          .invalidValue, "the final pass is '\(name)', expected one of \(names)",
          field: "final_pass")
      }
      recognizer.decoding.finalPass = pass
      do throws(FinalPassError) {
        try model.check(recognizer.decoding)
      } catch {
        throw WireError(.unsupported, "\(error)", field: "final_pass")
      }
    }
    recognizer.wantsPartials = native.partials
    recognizer.isStable = native.isStable
    recognizer.decoding.nBest = native.nBest
    partialInterval = native.partialInterval
    if let silence = native.endpoint.silence {
      recognizer.endpointRules.trailingSilence = silence.value
    }
    if let noText = native.endpoint.noText {
      recognizer.endpointRules.silenceWithoutText = noText.value
    }
    if let longest = native.endpoint.longest {
      recognizer.endpointRules.longestUtterance = longest.value
    }
    try listen(to: native.hotWords, field: "hot_words")
    if let weight = native.languageModelWeight {
      guard loaded.setLanguageWeight(weight, in: &recognizer.decoding) else {
        throw WireError(
          .unsupported, "this server has no language model", field: "lm_weight")
      }
    }
  }

  /// Adds phrases to listen for.
  mutating func listen(to words: [HotWord], field: String) throws(WireError) {
    guard !words.isEmpty else { return }
    do throws(HotWordError) {
      let bias = try HotWords(words, segmenter: loaded.segmenter)
      recognizer.decoding.biases.append(WeightedBias(bias, name: "hot_words"))
    } catch {
      throw WireError(.invalidValue, "\(error)", field: field)
    }
  }
}

extension NativeOptions.Endpoint.Time {
  /// nil for never.
  fileprivate var value: Double? {
    switch self {
    case .seconds(let seconds): seconds
    case .never: nil
    }
  }
}

extension PCMEncoding {
  init(_ encoding: WireEncoding) {
    guard let same = PCMEncoding(rawValue: encoding.rawValue) else {
      preconditionFailure("an encoding that Audio does not know")
    }
    self = same
  }
}

extension WireUtterance {
  init(_ result: RecognitionResult) {
    self.init(
      index: result.utterance, isFinal: result.kind == .final, text: result.text,
      committed: result.committed, words: result.words, start: result.start, end: result.end,
      alternatives: result.alternatives.map {
        Alternative(text: $0.text, score: $0.scores?.total, words: $0.words)
      })
  }
}
