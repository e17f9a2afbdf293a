import Foundation
import Tensor
import TestSupport
import Testing

/// Weights on disk: what is written is read, and whatever is wrong is named.
final class SafetensorsTests {
  private let folder = Places.temporaryFolder()
  private var path: String { folder + "/model.safetensors" }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Writes header length, header and data as they are.
  private func write(_ header: String, data: [UInt8] = [], length: UInt64? = nil) {
    var file = Data()
    withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) {
      file.append(contentsOf: $0)
    }
    file.append(contentsOf: header.utf8)
    file.append(contentsOf: data)
    try! file.write(to: URL(fileURLWithPath: path))
  }

  private func entry(_ name: String, _ type: String, _ shape: String, _ offsets: String) -> String {
    "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":\(offsets)}"
  }

  private func expectMalformed(
    _ words: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let error = #expect(throws: WeightError.self, sourceLocation: sourceLocation) {
      try SafetensorsFile(path: self.path)
    }
    guard case .malformed(file: path, let reason) = error else {
      Issue.record("\(error as Any) is not malformed", sourceLocation: sourceLocation)
      return
    }
    for word in words + [path] {
      #expect(
        "\(error!)".contains(word), "'\(reason)' lacks '\(word)'", sourceLocation: sourceLocation)
    }
  }

  // MARK: - Round trip

  @Test func whatIsWrittenIsRead() throws {
    var generator = SeededGenerator(seed: 1)
    let floats = (0..<7 * 11).map { _ in generator.normal(3) }
    let halves = (0..<33).map { _ in Float16(generator.normal(3)) }
    try SafetensorsWriter.write(
      [
        .float32("a.b.weight", [7, 11], floats), .float16("a.c", [3, 11, 1], halves),
        .float32("a.scalar", [], [4]), .float32("z", [0, 3], []),
      ], metadata: ["origin": "a \"test\""], to: path)
    let reader = WeightReader(try SafetensorsFile(path: path))
    #expect(try reader["a"]["b"].tensor("weight", [7, 11]).values == floats)
    #expect(try reader["a"].tensor("c", [3, 11, 1]).values == halves.map(Float.init))
    #expect(reader["a"].has("scalar") && !reader["a"].has("b") && reader.has("a.scalar"))
    #expect(throws: WeightError.unused(file: path, tensors: ["a.scalar", "z"])) {
      try reader.requireAllUsed()
    }
    #expect(try reader["a"].tensor("scalar", []).values == [4])
    #expect(try reader.tensor("z", [0, 3]).values == [])
    try reader.requireAllUsed()
    // The tensors begin at a multiple of 64 bytes.
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    #expect((8 + Int(bytes[0]) + 256 * Int(bytes[1])) % 64 == 0)
  }

  @Test func linearAndNormByName() throws {
    try SafetensorsWriter.write(
      [
        .float32("layers.3.x.weight", [2, 3], [1, 2, 3, 4, 5, 6]),
        .float32("layers.3.x.bias", [2], [10, 20]),
        .float32("layers.3.c.weight", [1, 3, 1], [1, 1, 1]),
        .float32("layers.3.n.weight", [2], [1, 2]), .float32("layers.3.n.bias", [2], [3, 4]),
      ], to: path)
    let layer = WeightReader(try SafetensorsFile(path: path))["layers"][3]
    let memory = [FloatStorage(count: 2), FloatStorage([1, 0, -1]), FloatStorage(count: 1)]
    defer { withExtendedLifetime(memory) {} }
    let (y, x) = (memory[0].view(columns: 2), memory[1].view(columns: 3))
    try layer["x"].linear(inputs: 3, outputs: 2).apply(x, into: y)
    #expect(y.values == [8, 18])
    let single = memory[2].view(columns: 1)
    try layer["c"].linear(inputs: 3, outputs: 1, bias: false, trailing: [1]).apply(x, into: single)
    #expect(single.values == [0])
    try layer["n"].layerNorm(2).apply(y, into: y)
    #expect(largestDifference(y.values, [2, 6]) < 1e-4)
  }

  @Test func anyPlaceInTheFile() throws {
    // Data at every offset from an even address: halves and floats that are not aligned.
    for padding in 0..<8 {
      let header =
        "{" + entry("h", "F16", "[2]", "[0,4]") + ","
        + entry("f", "F32", "[1]", "[4,8]") + "}" + String(repeating: " ", count: padding)
      write(header, data: [0x00, 0x3C, 0x00, 0xC0, 0, 0, 0x80, 0x3F])
      let reader = WeightReader(try SafetensorsFile(path: path))
      #expect(try reader.tensor("h", [2]).values == [1, -2])
      #expect(try reader.tensor("f", [1]).values == [1])
    }
  }

  /// Tensors without elements share their offset with the next one.
  @Test func emptyTensorsOverlapNothing() throws {
    let empties = (0..<12).map { entry("e\($0)", "F32", "[0]", "[\($0 % 3 * 4),\($0 % 3 * 4)]") }
    let full = (0..<2).map { entry("f\($0)", "F32", "[1]", "[\(4 * $0),\(4 * $0 + 4)]") }
    write("{" + (empties + full).joined(separator: ",") + "}", data: Array(repeating: 0, count: 8))
    #expect(try SafetensorsFile(path: path).entries.count == 14)
  }

  // MARK: - Tensors that do not fit the model

  @Test func missingMisshapenMistyped() throws {
    write(
      "{" + entry("a.x", "F32", "[2,1]", "[0,8]") + ","
        + entry("a.i", "I64", "[1]", "[8,16]") + "}",
      data: Array(repeating: 0, count: 16))
    let reader = WeightReader(try SafetensorsFile(path: path))["a"]
    #expect(throws: WeightError.missing(file: path, tensor: "a.y", expected: [4])) {
      try reader.tensor("y", [4])
    }
    for shape in [[2], [1, 2], [2, 1, 1], [], [3, 1]] {
      #expect(
        throws: WeightError.wrongShape(file: path, tensor: "a.x", found: [2, 1], expected: shape)
      ) { try reader.tensor("x", shape) }
    }
    #expect(
      throws: WeightError.wrongType(
        file: path, tensor: "a.i", found: "I64", expected: "F16 or F32")
    ) { try reader.tensor("i", [1]) }
    // What could not be read is not counted as used.
    #expect(throws: WeightError.unused(file: path, tensors: ["a.i", "a.x"])) {
      try reader.requireAllUsed()
    }
  }

  @Test func notFinite() throws {
    for (index, bad) in [(0, Float.nan), (7, .infinity), (19, -.infinity)] {
      var values = [Float](repeating: 1, count: 20)
      values[index] = bad
      try SafetensorsWriter.write(
        [.float32("f", [20], values), .float16("h", [4, 5], values.map(Float16.init))], to: path)
      let reader = WeightReader(try SafetensorsFile(path: path))
      for (name, shape) in [("f", [20]), ("h", [4, 5])] {
        let expected = WeightError.notFinite(file: path, tensor: name, index: index)
        #expect(throws: expected) { try reader.tensor(name, shape) }
      }
    }
  }

  @Test func errorsSpeak() {
    let errors: [(WeightError, [String])] = [
      (.unreadable(file: "F", reason: "why"), ["F", "why"]),
      (.malformed(file: "F", reason: "why"), ["F", "why", "safetensors"]),
      (.missing(file: "F", tensor: "t", expected: [2, 3]), ["F", "'t'", "[2, 3]", "missing"]),
      (.wrongShape(file: "F", tensor: "t", found: [1], expected: [2]), ["'t'", "[1]", "[2]"]),
      (.wrongType(file: "F", tensor: "t", found: "I8", expected: "F16"), ["'t'", "I8", "F16"]),
      (.notFinite(file: "F", tensor: "t", index: 7), ["F", "'t'", "7"]),
      (.unused(file: "F", tensors: ["a", "b", "c", "d"]), ["4 tensors", "'a'", "'c'", "…"]),
      (.unused(file: "F", tensors: ["a"]), ["1 tensor ", "'a'"]),
    ]
    for (error, words) in errors {
      for word in words { #expect("\(error)".contains(word), "\(error)") }
    }
  }

  // MARK: - Damaged files

  @Test func noFile() {
    for place in [folder + "/none.safetensors", folder, "/dev/null"] {
      let error = #expect(throws: WeightError.self) { try SafetensorsFile(path: place) }
      guard case .unreadable(file: place, _) = error else {
        Issue.record("\(place): \(error as Any)")
        continue
      }
    }
    let error = #expect(throws: WeightError.self) {
      try SafetensorsWriter.write([], to: self.folder + "/none/x.safetensors")
    }
    guard case .unreadable = error else {
      Issue.record("\(error as Any)")
      return
    }
  }

  @Test func truncated() throws {
    try SafetensorsWriter.write(
      [.float32("a", [3], [1, 2, 3]), .float16("b", [5], [1, 2, 3, 4, 5])], to: path)
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    for count in 0..<whole.count {
      try whole.prefix(count).write(to: URL(fileURLWithPath: path))
      expectMalformed()
    }
    try whole.prefix(whole.count - 1).write(to: URL(fileURLWithPath: path))
    expectMalformed("truncated")
  }

  @Test func headerLengthBeyondTheFile() {
    for length in [3, 1 << 31, 1 << 62, UInt64(Int64.max), UInt64(Int64.max) + 1, .max] {
      write("{}", length: length)
      expectMalformed("\(length)")
    }
  }

  @Test func headerIsNoObject() {
    for header in [
      "", "   ", "[]", "[1,2]", "nonsense", "{", "{\"a\":}", "\"text\"", "12", "null", "{}{}",
      "{\"a\":{\"dtype\":\"F32\"", String(repeating: "[", count: 100_000),
      String(repeating: "{\"a\":", count: 100_000),
    ] {
      write(header, data: [0, 0, 0, 0])
      expectMalformed("JSON")
    }
  }

  @Test func badEntries() {
    for value in [
      "1", "null", "[]", "{}", "\"x\"",
      "{\"dtype\":\"F32\",\"shape\":[1]}", "{\"dtype\":\"F32\",\"data_offsets\":[0,4]}",
      "{\"shape\":[1],\"data_offsets\":[0,4]}",
      "{\"dtype\":5,\"shape\":[1],\"data_offsets\":[0,4]}",
      "{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}",
      "{\"dtype\":\"F32\",\"shape\":[\"1\"],\"data_offsets\":[0,4]}",
      "{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}",
      "{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}",
      "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}",
      "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}",
      "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}",
      "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}",
      "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,1e30]}",
      "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":{\"0\":4}}",
    ] {
      write("{\"bad one\":\(value)}", data: [0, 0, 0, 0])
      expectMalformed("'bad one'", "lacks")
    }
  }

  @Test func rangesThatDoNotFit() {
    let zeros = [UInt8](repeating: 0, count: 8)
    write("{" + entry("t", "F32", "[2]", "[4,12]") + "}", data: zeros)
    expectMalformed("'t'", "12", "8", "truncated")
    write("{" + entry("t", "I64", "[9]", "[0,\(Int.max)]") + "}", data: zeros)
    expectMalformed("'t'", "truncated")
    write("{" + entry("t", "F32", "[3]", "[0,8]") + "}", data: zeros)
    expectMalformed("'t'", "12", "8")
    write("{" + entry("t", "F16", "[2]", "[0,8]") + "}", data: zeros)
    expectMalformed("'t'")
    write("{" + entry("t", "F32", "[]", "[0,8]") + "}", data: zeros)
    expectMalformed("'t'")
    write(
      "{" + entry("a", "F32", "[1]", "[0,4]") + "," + entry("b", "F16", "[2]", "[2,6]") + "}",
      data: zeros)
    expectMalformed("'a'", "'b'", "overlap")
    write(
      "{" + entry("a", "F32", "[1]", "[4,8]") + "," + entry("b", "F32", "[1]", "[4,8]") + "}",
      data: zeros)
    expectMalformed("overlap")
  }

  @Test func absurdShapes() {
    for shape in [
      "[4294967296,4294967296]", "[4294967296,4294967296,4294967296,4294967296]",
      "[9223372036854775807]", "[2305843009213693952,8]", "[18446744073709551615]",
      "[4294967296,1073741824]",
    ] {
      write("{" + entry("t", "F32", shape, "[0,4]") + "}", data: [0, 0, 0, 0])
      expectMalformed("'t'")
      write("{" + entry("t", "F32", shape, "[0,0]") + "}", data: [0, 0, 0, 0])
      expectMalformed("'t'")
    }
  }

  /// Whatever a header says, the file is refused or every tensor in it can be read or is refused.
  @Test func mutatedHeadersNeverTrap() throws {
    let header = Array(
      ("{" + entry("a", "F32", "[2,3]", "[0,24]") + "," + entry("b.c", "F16", "[4]", "[24,32]")
        + ",\"__metadata__\":{\"k\":\"v\"}}").utf8)
    let data = (0..<32).map { UInt8($0) }
    var generator = SeededGenerator(seed: 12)
    let alphabet = Array("0123456789-+.eE[]{},:\"\\ FABdtypeshape\u{0}\n".utf8)
    var (loaded, refused) = (0, 0)
    for round in 0..<600 {
      var bytes = header
      for _ in 0..<[1, 1, 2, 5].randomElement(using: &generator)! {
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes[index] = alphabet.randomElement(using: &generator)!
        case 2: bytes.insert(alphabet.randomElement(using: &generator)!, at: index)
        default: bytes.remove(at: index)
        }
      }
      var file = Data()
      let length = round % 10 == 0 ? UInt64.random(in: 0...200, using: &generator) : nil
      withUnsafeBytes(of: (length ?? UInt64(bytes.count)).littleEndian) {
        file.append(contentsOf: $0)
      }
      file.append(contentsOf: bytes + data)
      try file.write(to: URL(fileURLWithPath: path))
      do throws(WeightError) {
        let opened = try SafetensorsFile(path: path)
        let reader = WeightReader(opened)
        for (name, entry) in opened.entries {
          let values = try reader.tensor(name, entry.shape).values
          #expect(values.count == entry.shape.reduce(1, *))
        }
        loaded += 1
      } catch {
        refused += 1
      }
    }
    #expect(loaded > 10 && refused > 300, "\(loaded) loaded, \(refused) refused")
  }
}
