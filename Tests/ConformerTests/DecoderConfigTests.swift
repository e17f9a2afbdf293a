import Conformer
import Foundation
import TestSupport
import Testing

struct DecoderConfigTests {
  /// The shipped config with other auxiliary heads and weights, written and read again.
  private func reload(_ heads: [Int]?, weights: [Float]? = nil) throws -> ModelConfig {
    let folder = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var config = try ModelConfig.load(Places.shippedModel + "/config.json")
    config.decoder?.auxiliaryHeads = heads
    config.decoding?.auxiliaryWeights = weights
    let path = folder + "/config.json"
    try JSONEncoder().encode(config).write(to: URL(fileURLWithPath: path))
    return try ModelConfig.load(path)
  }

  @Test func auxiliaryHeadsAreOptionalAndChecked() throws {
    #expect(try reload(nil).decoder?.auxiliaryHeads == nil)
    #expect(try reload([1, 0]).decoder?.auxiliaryHeads == [1, 0])
    for wrong in [[3], [-1], [1, 1]] {
      #expect(throws: ModelError.self) { try reload(wrong) }
    }
  }

  @Test func positionWidthIsOptionalAndChecked() throws {
    func reload(_ width: Int?) throws -> Int? {
      let folder = Places.temporaryFolder()
      defer { try? FileManager.default.removeItem(atPath: folder) }
      var config = try ModelConfig.load(Places.shippedModel + "/config.json")
      config.decoder?.positionWidth = width
      let path = folder + "/config.json"
      try JSONEncoder().encode(config).write(to: URL(fileURLWithPath: path))
      return try ModelConfig.load(path).decoder?.positionWidth
    }
    for good in [nil, 1, 64, 1024] { #expect(try reload(good) == good) }
    for wrong in [0, -2, 1025] {
      let error = #expect(throws: ModelError.self) { try reload(wrong) }
      guard case .field(_, "decoder.position_width", "1 to 1024", "\(wrong)") = error else {
        Issue.record("\(error as Any)")
        continue
      }
    }
  }

  @Test func auxiliaryWeightsAreOptionalAndChecked() throws {
    #expect(try reload([1, 0]).decoding?.auxiliaryWeights == nil)
    // Ten times 0.1 is more than 1 in floats.
    let tenths = Array(repeating: Float(0.1), count: 10)
    #expect(tenths.reduce(0, +) > 1)
    #expect(DecoderRun.accepts(auxiliaryWeights: tenths, heads: 10))
    for good: [Float] in [[0.3, 0.2], [0, 0], [1, 0], [0.9, 0.1]] {
      #expect(try reload([1, 0], weights: good).decoding?.auxiliaryWeights == good)
    }
    for (heads, wrong): ([Int]?, [Float]) in [
      ([1, 0], [0.3]), ([1, 0], [0.3, 0.2, 0.1]), ([1, 0], [-0.1, 0.2]), ([1, 0], [0.6, 0.5]),
      (nil, [0.5]), ([1], []),
    ] {
      let error = #expect(throws: ModelError.self) { try reload(heads, weights: wrong) }
      guard case .field(_, "decoding.auxiliary_weights", let expected, "\(wrong)") = error else {
        Issue.record("\(error as Any)")
        continue
      }
      #expect(expected.contains("\(heads?.count ?? 0) decoder.auxiliary_heads"))
    }
  }
}
