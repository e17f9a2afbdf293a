import Conformer
import Foundation
import TestSupport
import Testing

struct DecoderConfigTests {
  /// The shipped config with other auxiliary heads, written and read again.
  private func reload(_ heads: [Int]?) throws -> ModelConfig {
    let folder = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var config = try ModelConfig.load(Places.shippedModel + "/config.json")
    config.decoder?.auxiliaryHeads = heads
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
}
