import Conformer
import Decoding
import Recognizer
import TestSupport
import Testing

/// Mixtures of the decoder's heads (DeCRED) in the final passes, with a random model.
@Suite struct AuxiliaryWeightsTests {
  private static let weights: [Float] = [0.3, 0.45]
  private static let joint = JointSearchOptions(
    beamSize: 8, ctcWeight: TinyRun.jointCTCWeight, ctcProposals: -6.9, nBest: 1)
  private let run: TinyRun

  init() throws { run = try TinyRun() }

  private func options(_ pass: FinalPass, _ weights: [Float]?) -> DecodingOptions {
    var own = run.model.decodingWeights
    own.auxiliaryWeights = weights
    return DecodingOptions(finalPass: pass, weights: weights == nil ? nil : own)
  }

  /// What `pass` says if the heads are mixed as the formula has it.
  private func expectedText(
    _ pass: FinalPass, _ encoded: EncoderRun, whole: EncoderRun, weights: [Float]
  ) -> String {
    let vocabulary = run.model.vocabulary
    let heard = pass == .fullContext ? whole : encoded
    let scorer = MixtureScorer(run.networks, hidden: heard.layers.last!, weights: weights)
    let tokens = heard.withLogProbs(vocabulary.count) { logProbs -> [Int] in
      let greedy = encoded.greedyTokens(vocabulary).map(\.id)
      switch pass {
      case .none:
        return greedy
      case .rescore, .fullContext:
        var beam = CTCPrefixBeamSearch(
          blank: vocabulary.blank,
          options: CTCPrefixBeamOptions(beamSize: 8, tokensPerFrame: 8))
        beam.advance(logProbs)
        let rescorer = Rescorer(
          RescoringOptions(attentionWeight: 2, reverseWeight: 0.3, ctcWeight: 1))
        return rescorer.rescore(beam.nBest(isEnd: true), scorer)[0].hypothesis.ids
      case .joint:
        let found = JointSearch(Self.joint).search(
          scorer, ctc: CTCPrefixScorer(logProbs, blank: vocabulary.blank))
        return found.hypotheses[0].tokens
      case .draft:
        let longest = min(logProbs.frames, 2 * greedy.count + 16)
        let found = AttentionGreedy(maxLength: longest).search(scorer).tokens
        // What CTC cannot have said is not believed.
        let fits = CTCForcedAlignment.framesNeeded(found) <= logProbs.frames
        return found.isEmpty || !fits ? greedy : found
      }
    }
    return vocabulary.text(tokens)
  }

  @Test(arguments: FinalPass.allCases)
  func passesUseTheMixture(pass: FinalPass) {
    var changed = 0
    for seed in UInt64(1)...12 {
      let noise = TinyRun.noise(seed)
      let (encoded, whole) = (run.encode(noise), run.encode(noise, isWhole: true))
      var texts: [String] = []
      for weights in [[], Self.weights, [0, 1]] {
        let found = run.finals(noise, options(pass, weights.isEmpty ? nil : weights))
        #expect(found.count == 1)
        #expect(
          found[0].text == expectedText(pass, encoded, whole: whole, weights: weights),
          "noise \(seed), weights \(weights)")
        texts.append(found[0].text)
      }
      if Set(texts).count > 1 { changed += 1 }
    }
    #expect(pass == .none ? changed == 0 : changed > 2, "\(changed) of 12")
  }

  @Test(arguments: FinalPass.allCases)
  func weightsOfZeroChangeNothing(pass: FinalPass) {
    for seed in UInt64(1)...4 {
      let noise = TinyRun.noise(seed)
      #expect(
        run.finals(noise, options(pass, [0, 0])) == run.finals(noise, options(pass, nil)))
    }
  }

  @Test func theModelsWeightsAreUsedUnlessOthersAreAskedFor() throws {
    let weighted = try TinyRun(auxiliaryWeights: Self.weights)
    #expect(weighted.model.name == run.model.name)
    for seed in UInt64(1)...4 {
      let noise = TinyRun.noise(seed)
      for pass in [FinalPass.rescore, .draft] {
        let mixed = run.finals(noise, options(pass, Self.weights))
        #expect(weighted.finals(noise, options(pass, nil)) == mixed)
        #expect(
          weighted.finals(noise, options(pass, [0, 0])) == run.finals(noise, options(pass, nil)))
      }
    }
  }

  @Test func weightsThatDoNotFitAreRefused() throws {
    let shipped = try RecognizerModel(directory: Places.shippedModel)
    let none = FinalPassError.auxiliaryWeights(model: shipped.name, found: [0.5], heads: 0)
    for pass in [FinalPass.none, .rescore] {
      #expect(throws: none) { try shipped.check(options(pass, [0.5])) }
    }
    #expect("\(none)".contains("no auxiliary heads"))
    for wrong: [Float] in [[], [0.5], [0.1, 0.1, 0.1], [0.6, 0.5], [-0.1, 0.5], [.infinity, 0]] {
      let error = FinalPassError.auxiliaryWeights(model: "tiny", found: wrong, heads: 2)
      #expect(throws: error) { try run.model.check(options(.rescore, wrong)) }
      #expect("\(error)".contains("\(wrong)") && "\(error)".contains("2 auxiliary heads"))
    }
    #expect(throws: FinalPassError.self) { try run.model.check(options(.rescore, [.nan, 0])) }
    for good: [Float] in [[0, 0], [1, 0], [0.25, 0.75]] {
      try run.model.check(options(.rescore, good))
    }
  }
}
