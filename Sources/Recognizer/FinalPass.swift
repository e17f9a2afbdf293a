public import Conformer
public import Decoding

/// What settles the text of an utterance that has ended.
public enum FinalPass: String, CaseIterable, Hashable, Sendable {
  /// Nothing: the first pass stands.
  case none
  /// The n-best list of a CTC prefix beam search, rescored by the attention decoder (U2++).
  case rescore
  /// A joint beam search by the decoder and CTC prefix scores.
  case joint
  /// The utterance encoded again with all of it as context, then `rescore`.
  case fullContext = "full-context"
  /// The decoder's own greedy text, found by verifying the CTC text in one pass.
  case draft
}

/// How a stream searches.
public struct DecodingOptions: Sendable {
  public var finalPass: FinalPass
  /// nil for greedy search, except where the final pass or a bias needs a beam.
  public var beam: CTCPrefixBeamOptions?
  /// How much the attention decoder counts; nil for `RecognizerModel.decodingWeights`.
  public var weights: DecodingConfig?
  /// Hot words and language models.
  public var biases: [WeightedBias]
  /// Rescores the n-best list of `rescore` and `fullContext`; nil for none.
  public var rescoringLanguageModel: (any SequenceLanguageModel)?
  /// Weight of `rescoringLanguageModel`.
  public var rescoringLanguageWeight: Double
  /// The final pass is skipped when the best hypothesis of the first pass beats the second by more
  /// than this, in nats; nil for never.
  public var finalThreshold: Double?
  /// Texts wanted of a final result, the best included; 0 for its text alone. More than 0 makes the
  /// first pass a beam search.
  public var nBest: Int

  public init(
    finalPass: FinalPass = .none, beam: CTCPrefixBeamOptions? = nil,
    weights: DecodingConfig? = nil, biases: [WeightedBias] = [],
    rescoringLanguageModel: (any SequenceLanguageModel)? = nil,
    rescoringLanguageWeight: Double = 0, finalThreshold: Double? = nil, nBest: Int = 0
  ) {
    self.finalPass = finalPass
    self.beam = beam
    self.weights = weights
    self.biases = biases
    self.rescoringLanguageModel = rescoringLanguageModel
    self.rescoringLanguageWeight = rescoringLanguageWeight
    self.finalThreshold = finalThreshold
    self.nBest = nBest
  }

  private static let beamSize = 8

  /// Whether greedy search is not enough.
  var needsBeam: Bool {
    beam != nil || finalPass == .rescore || finalPass == .fullContext || finalThreshold != nil
      || nBest > 0 || biases.contains { $0.weight != 0 }
  }

  /// A beam search before its first frame.
  func makeBeam(blank: Int, firstFrame: Int = 0) -> CTCPrefixBeamSearch {
    let size = max(Self.beamSize, nBest)
    return CTCPrefixBeamSearch(
      blank: blank,
      options: beam ?? CTCPrefixBeamOptions(beamSize: size, tokensPerFrame: Self.beamSize),
      biases: biases, firstFrame: firstFrame)
  }
}

/// Why a model cannot do what a stream asks for.
public enum FinalPassError: Error, Equatable, CustomStringConvertible {
  case noDecoder(model: String, finalPass: FinalPass)
  /// - Parameter heads: auxiliary heads of the model's decoder.
  case auxiliaryWeights(model: String, found: [Float], heads: Int)

  public var description: String {
    switch self {
    case .noDecoder(let model, let finalPass):
      return
        "model '\(model)' has no attention decoder, which the final pass "
        + "'\(finalPass.rawValue)' needs; choose 'none' or another model"
    case .auxiliaryWeights(let model, _, 0):
      return "model '\(model)' has no auxiliary heads that could have weights"
    case .auxiliaryWeights(let model, let found, let heads):
      return
        "the auxiliary weights are \(found), expected one of at least 0 for each of the \(heads) "
        + "auxiliary heads of model '\(model)', at most 1 together"
    }
  }
}
