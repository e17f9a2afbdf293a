import Decoding
public import Recognizer

/// A model, and what a session does with it unless its client asks for something else.
public struct LoadedModel: Sendable {
  public let model: RecognizerModel
  public let defaults: RecognizerOptions
  /// Splits hot words.
  let segmenter: TokenSegmenter

  public init(_ model: RecognizerModel, defaults: RecognizerOptions = RecognizerOptions()) {
    self.model = model
    self.defaults = defaults
    segmenter = TokenSegmenter(model.vocabulary)
  }

  /// Weighs the language model anew.
  ///
  /// - Returns: false if there is none.
  func setLanguageWeight(_ weight: Double, in options: inout DecodingOptions) -> Bool {
    guard let index = options.biases.firstIndex(where: { $0.name == "language_model" }) else {
      return false
    }
    options.biases[index].weight = weight
    return true
  }
}
