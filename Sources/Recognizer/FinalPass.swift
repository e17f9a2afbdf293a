import Conformer
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
  /// nil for the model's own weights.
  public var rescoring: RescoringOptions?
  /// nil for the model's own weights.
  public var joint: JointSearchOptions?
  /// Hot words and language models.
  public var biases: [WeightedBias]
  /// The final pass is skipped when the best hypothesis of the first pass beats the second by more
  /// than this, in nats; nil for never.
  public var finalThreshold: Double?
  /// Weights of the decoder's auxiliary heads in the final pass, one for each, at least 0 and at
  /// most 1 together; the final head has the rest (DeCRED). nil for the model's own.
  public var auxiliaryWeights: [Float]?

  public init(
    finalPass: FinalPass = .none, beam: CTCPrefixBeamOptions? = nil,
    rescoring: RescoringOptions? = nil, joint: JointSearchOptions? = nil,
    biases: [WeightedBias] = [], finalThreshold: Double? = nil, auxiliaryWeights: [Float]? = nil
  ) {
    self.finalPass = finalPass
    self.beam = beam
    self.rescoring = rescoring
    self.joint = joint
    self.biases = biases
    self.finalThreshold = finalThreshold
    self.auxiliaryWeights = auxiliaryWeights
  }

  static let defaultBeam = CTCPrefixBeamOptions(beamSize: 8, tokensPerFrame: 8)

  /// A beam search before its first frame; nil if greedy search does.
  func makeBeam(blank: Int, firstFrame: Int = 0) -> CTCPrefixBeamSearch? {
    let needsBeam =
      beam != nil || finalPass == .rescore || finalPass == .fullContext
      || finalThreshold != nil || biases.contains { $0.weight != 0 }
    guard needsBeam else { return nil }
    return CTCPrefixBeamSearch(
      blank: blank, options: beam ?? Self.defaultBeam, biases: biases, firstFrame: firstFrame)
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
