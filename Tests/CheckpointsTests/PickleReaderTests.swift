import Checkpoints
import Foundation
import Testing

@Suite struct PickleReaderTests {
  private func read(_ data: Data) throws -> PickleValue {
    try PickleReader.read([UInt8](data), source: "p")
  }

  private func message(_ data: Data) -> String? {
    do {
      _ = try read(data)
      return nil
    } catch { return "\(error)" }
  }

  private func refusal(_ action: String) -> String {
    "p: the pickle \(action), which a state dict never does; refused"
  }

  /// `pickle.dumps` of `{'a': [1, -2, 3.5, None, True, False, 'x', 2**40, -2**40, 300, 70000],
  /// 't': ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)), 'o': OrderedDict([('k', 1)])}`,
  /// protocols 2 and 5.
  @Test(arguments: [
    """
    gAJ9cQAoWAEAAABhcQFdcQIoSwFK/v///0dADAAAAAAAAE6IiVgBAAAAeHEDigYAAAAAAAGKBgAAAAAA/00sAUpwEQEAZVgB\
    AAAAdHEEKClLAYVxBUsBSwKGcQZLAUsCSwOHcQcoSwFLAksDSwR0cQh0cQlYAQAAAG9xCmNjb2xsZWN0aW9ucwpPcmRlcmVk\
    RGljdApxCylScQxYAQAAAGtxDUsBc3Uu
    """,
    """
    gAWVjQAAAAAAAAB9lCiMAWGUXZQoSwFK/v///0dADAAAAAAAAE6IiYwBeJSKBgAAAAAAAYoGAAAAAAD/TSwBSnARAQBljAF0\
    lCgpSwGFlEsBSwKGlEsBSwJLA4eUKEsBSwJLA0sEdJR0lIwBb5SMC2NvbGxlY3Rpb25zlIwLT3JkZXJlZERpY3SUk5QpUpSM\
    AWuUSwFzdS4=
    """,
  ])
  func readsPlainValues(base64: String) throws {
    let expected: [(String, PickleValue)] = [
      (
        "a",
        .list([
          .int(1), .int(-2), .float(3.5), .none, .bool(true), .bool(false), .string("x"),
          .int(1 << 40), .int(-1 << 40), .int(300), .int(70000),
        ])
      ),
      (
        "t",
        .tuple((0...4).map { count in .tuple((0..<count).map { .int($0 + 1) }) })
      ),
      ("o", .dictionary([PickleEntry(key: .string("k"), value: .int(1))])),
    ]
    let value = try read(try #require(Data(base64Encoded: base64)))
    #expect(
      value
        == .dictionary(expected.map { PickleEntry(key: .string($0.0), value: $0.1) }))
  }

  @Test func readsTensors() throws {
    let tensor = SyntheticTensor("w", [2, 3], type: .float16, data: Data(count: 12))
    let expected = PickledTensor(
      storage: PickledStorage(type: .float16, key: "0", count: 6), offset: 0, shape: [2, 3],
      strides: [3, 1])
    #expect(
      try read(PickleWriter.stateDict([tensor]))
        == .dictionary([PickleEntry(key: .string("w"), value: .tensor(expected))]))
  }

  @Test func ignoresMetadataOfAnOrderedDictionary() throws {
    let metadata = PickleWriter.unicode("_metadata") + Data("}sb.".utf8)
    let data = PickleWriter.global("collections", "OrderedDict") + Data(")R}".utf8) + metadata
    #expect(try read(data) == .dictionary([]))
    #expect(message(Data("K\u{1}}b.".utf8)) == refusal("sets the state of an object"))
  }

  /// Written by Python: `os.system` and `eval` through `__reduce__`, with GLOBAL and STACK_GLOBAL,
  /// an object of a class, and an extension code.
  @Test(arguments: [
    (
      "gAJ9cQBYDgAAAGVuY29kZXIud2VpZ2h0cQFjcG9zaXgKc3lzdGVtCnECWBkAAAB0b3VjaCAvdG1wL3N0YXJsaW5nLXB3bmVk"
        + "cQOFcQRScQVzLg==", "calls 'posix.system'"
    ),
    (
      "gASVSAAAAAAAAAB9lIwOZW5jb2Rlci53ZWlnaHSUjAVwb3NpeJSMBnN5c3RlbZSTlIwZdG91Y2ggL3RtcC9zdGFybGluZy1w"
        + "d25lZJSFlFKUcy4=", "calls 'posix.system'"
    ),
    (
      "gAJ9cQBYDgAAAGVuY29kZXIud2VpZ2h0cQFjX19idWlsdGluX18KZXZhbApxAlgDAAAAMSsxcQOFcQRScQVzLg==",
      "calls '__builtin__.eval'"
    ),
    (
      "gASVMwAAAAAAAAB9lIwOZW5jb2Rlci53ZWlnaHSUjAhidWlsdGluc5SMBGV2YWyUk5SMAzErMZSFlFKUcy4=",
      "calls 'builtins.eval'"
    ),
    (
      "gASVKQAAAAAAAAB9lIwOZW5jb2Rlci53ZWlnaHSUjAhfX21haW5fX5SMAU6Uk5QpgZRzLg==",
      "calls '__main__.N'"
    ),
    ("gAJ9cQBYAQAAAGFxAYLIcy4=", "uses the opcode EXT1"),
  ])
  func refusesCodeWrittenByPython(base64: String, action: String) throws {
    #expect(message(try #require(Data(base64Encoded: base64))) == refusal(action))
    #expect(!FileManager.default.fileExists(atPath: "/tmp/starling-pwned"))
  }

  @Test func refusesOtherWaysToCall() {
    let text = PickleWriter.unicode("touch /tmp/starling-pwned")
    let dictionary = PickleWriter.global("collections", "OrderedDict")
    let cases: [(Data, String)] = [
      (Data("(".utf8) + text + Data("iposix\nsystem\n.".utf8), "calls 'posix.system'"),
      (Data("(".utf8) + dictionary + text + Data("o.".utf8), "uses the opcode OBJ"),
      (dictionary + Data([0x29, 0x81]) + Data(".".utf8), "uses the opcode NEWOBJ"),
      (dictionary + Data([0x29, 0x7D, 0x92]), "uses the opcode NEWOBJ_EX"),
      (Data([0x83, 1, 0]), "uses the opcode EXT2"),
      (Data([0x84, 1, 0, 0, 0]), "uses the opcode EXT4"),
      (Data("P1\n.".utf8), "uses the opcode PERSID"),
      (Data([0xFE]), "uses the opcode 0xfe"),
      (text + Data(")R.".utf8), "calls a value"),
      (PickleWriter.global("torch", "HalfStorage") + Data(")R.".utf8), "calls 'torch.HalfStorage'"),
      (PickleWriter.global("torch", "load"), "calls 'torch.load'"),
      (PickleWriter.global("os", "a\u{1B}[2J"), "calls 'os.a\u{FFFD}[2J'"),
    ]
    for (data, action) in cases { #expect(message(data) == refusal(action)) }
  }

  @Test func refusesMalformedPickles() {
    let cases = [
      "", ".", "(.", "K", "t.", "a.", "K\u{1}K\u{1}.", "]K\u{1}s.", "}K\u{1}(K\u{1}u.", "h\u{0}.",
      "(K\u{1}Rt.", "]Q.", "(Q.", "q\u{0}.", "X\u{FF}", "cposix", "K\u{1}(\u{85}.",
    ]
    for text in cases {
      #expect(throws: CheckpointError.self, "\(text.debugDescription)") {
        try read(Data(text.unicodeScalars.map { UInt8($0.value) }))
      }
    }
    #expect(throws: CheckpointError.self) { try read(Data([0x80, 6, 0x4E, 0x2E])) }
    #expect(throws: CheckpointError.self) {
      try read(Data([0x8A, 9] + Array(repeating: 1, count: 9)))
    }
    #expect(throws: CheckpointError.self) { try read(Data([0x8C, 1, 0xFF, 0x2E])) }
  }

  @Test func boundsDepthSharingAndCycles() {
    let nested = Data(repeating: 0x29, count: 1) + Data(repeating: 0x85, count: 1_000_000)
    #expect(throws: CheckpointError.self) { try read(nested + Data(".".utf8)) }
    // A list that holds itself.
    #expect(throws: CheckpointError.self) { try read(Data("]q\u{0}h\u{0}a.".utf8)) }
    // Each tuple holds the one before twice: 2^30 values when written out.
    var bomb = Data("]q\u{0}".utf8)
    for level in 0..<30 {
      let index = UInt8(level)
      bomb += Data([0x68, index, 0x68, index, 0x86, 0x71, index + 1])
    }
    bomb += Data("t.".utf8)
    #expect(throws: CheckpointError.self) { try read(Data("(".utf8) + bomb) }
    var limits = PickleReader.Limits()
    limits.values = 10
    limits.bytes = 100
    for count in [20, 200] {
      let many = [UInt8](repeating: 0x4E, count: count)
      #expect(throws: CheckpointError.self) {
        try PickleReader.read(many, source: "p", limits: limits)
      }
    }
  }

  @Test func mutationsNeverTrap() {
    let tensors = [
      SyntheticTensor("encoder.a", [2, 3]), SyntheticTensor("encoder.b", []),
      SyntheticTensor("c", [4], type: .int64, data: Data(count: 32)),
    ]
    let pickle = [UInt8](PickleWriter.stateDict(tensors, nested: true))
    var random = SeededGenerator(seed: 7)
    for _ in 0..<5000 {
      _ = try? PickleReader.read(mutate(pickle, with: &random), source: "p")
    }
    for count in 0..<pickle.count {
      #expect(throws: CheckpointError.self) {
        try PickleReader.read(Array(pickle.prefix(count)), source: "p")
      }
    }
  }
}
