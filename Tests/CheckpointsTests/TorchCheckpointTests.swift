import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite struct TorchCheckpointTests {
  private func open(_ tensors: [SyntheticTensor], nested: Bool = false) throws -> TorchCheckpoint {
    try TorchCheckpoint(PickleWriter.checkpoint(tensors, nested: nested), source: "c")
  }

  private let six = floats([0, 1, 2, 3, 4, 5])

  @Test(arguments: [false, true])
  func namesTensorsInTheirOrder(nested: Bool) throws {
    let checkpoint = try open(
      [SyntheticTensor("b", [2]), SyntheticTensor("a", [1, 2])], nested: nested)
    #expect(checkpoint.names == ["b", "a"])
    #expect(checkpoint.shape("a") == [1, 2])
    #expect(checkpoint.shape("c") == nil)
    #expect(try checkpoint.tensor("a").bytes == floats([0, 0.5]))
    #expect(throws: CheckpointError.self) { try checkpoint.tensor("c") }
  }

  @Test func makesViewsContiguous() throws {
    let checkpoint = try open([
      SyntheticTensor("transposed", [3, 2], data: six, strides: [1, 3]),
      SyntheticTensor("shifted", [2, 2], data: six, strides: [2, 1], offset: 2),
      SyntheticTensor("column", [2], data: six, strides: [3], offset: 1),
      SyntheticTensor("one", [1, 1, 6], data: six, strides: [.max, .max, 1]),
      SyntheticTensor("scalar", [], data: six, strides: [], offset: 5),
      SyntheticTensor("repeated", [2, 3], data: six, strides: [0, 1]),
      SyntheticTensor("none", [0, 7], data: six),
    ])
    let expected: [String: [Float]] = [
      "transposed": [0, 3, 1, 4, 2, 5], "shifted": [2, 3, 4, 5], "column": [1, 4],
      "one": [0, 1, 2, 3, 4, 5], "scalar": [5], "repeated": [0, 1, 2, 0, 1, 2], "none": [],
    ]
    for (name, values) in expected {
      #expect(try checkpoint.tensor(name).bytes == floats(values), "\(name)")
    }
  }

  @Test func refusesViewsOutsideTheirStorage() throws {
    let views: [(shape: [Int], strides: [Int], offset: Int)] = [
      ([7], [1], 0), ([6], [1], 1), ([2, 3], [4, 1], 0), ([2], [.max], 0),
      ([.max, .max], [0, 0], 0),
      ([3, 4], [0, 1], 0), ([-1], [1], 0), ([2], [-1], 5), ([2], [1, 1], 0), ([1], [1], -1),
      ([1], [1], .max), ([1], [1], 6), ([.max, 2], [1, 1], 0),
    ]
    for view in views {
      let checkpoint = try open([
        SyntheticTensor("w", view.shape, data: six, strides: view.strides, offset: view.offset)
      ])
      #expect(
        throws: CheckpointError.malformed(
          file: "c", reason: "tensor 'w' reaches outside its storage"), "\(view)"
      ) { try checkpoint.tensor("w") }
    }
  }

  @Test func refusesAStorageShorterThanPromised() throws {
    let tensor = SyntheticTensor("w", [6], data: six)
    let zip = ZipWriter.archive([
      ("x/data.pkl", PickleWriter.stateDict([tensor])), ("x/data/0", six.prefix(20)),
    ])
    let checkpoint = try TorchCheckpoint(zip, source: "c")
    #expect(
      throws: CheckpointError.malformed(
        file: "c",
        reason: "the storage of tensor 'w' has 20 bytes, expected 6 elements of 4")
    ) { try checkpoint.tensor("w") }
  }

  @Test func refusesWhatIsNoStateDict() {
    let pickles: [(Data, String)] = [
      (Data("]".utf8) + Data(".".utf8), "its pickle is not a state dict"),
      (Data("}.".utf8), "its state dict holds no tensors"),
      (
        PickleWriter.stateDict([SyntheticTensor("w", [1]), SyntheticTensor("w", [1])]),
        "two tensors are named 'w'"
      ),
    ]
    for (pickle, reason) in pickles {
      #expect(throws: CheckpointError.malformed(file: "c", reason: reason)) {
        try TorchCheckpoint(ZipWriter.archive([("x/data.pkl", pickle)]), source: "c")
      }
    }
    #expect(throws: CheckpointError.self) {
      try TorchCheckpoint(ZipWriter.archive([("x/data", Data())]), source: "c")
    }
    let big = ZipWriter.archive([
      ("x/data.pkl", PickleWriter.stateDict([SyntheticTensor("w", [1])])),
      ("x/byteorder", Data("big".utf8)),
    ])
    #expect(throws: CheckpointError.self) { try TorchCheckpoint(big, source: "c") }
  }

  @Test func mutationsNeverTrap() {
    let checkpoint = [UInt8](
      PickleWriter.checkpoint([
        SyntheticTensor("a", [2, 3], data: six, strides: [1, 2]), SyntheticTensor("b", [1]),
      ]))
    var random = SeededGenerator(seed: 3)
    for _ in 0..<3000 {
      guard
        let mutated = try? TorchCheckpoint(Data(mutate(checkpoint, with: &random)), source: "c")
      else { continue }
      for name in mutated.names { _ = try? mutated.tensor(name) }
    }
    // The same on the pickle alone, whose mutations the zip's checksum would otherwise hide.
    let tensors = [SyntheticTensor("a", [2, 3], data: six, strides: [1, 2])]
    let pickle = [UInt8](PickleWriter.stateDict(tensors))
    for _ in 0..<3000 {
      let zip = ZipWriter.archive([
        ("x/data.pkl", Data(mutate(pickle, with: &random))), ("x/data/0", six),
      ])
      guard let mutated = try? TorchCheckpoint(zip, source: "c") else { continue }
      for name in mutated.names { _ = try? mutated.tensor(name) }
    }
  }
}
