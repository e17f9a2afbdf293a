import Foundation
import TestSupport
import Testing

/// Damaged model folders, made from the shipped one.
@Suite struct BadModelTests {
  let folder = TemporaryFolder()
  private let tensor = "encoder.layers.3.norm_conv.weight"

  private func expectRefused(
    _ file: String, saying parts: String..., change: (ModelFolder) throws -> Void,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let model = try ModelFolder(folder)
    try change(model)
    let output = folder.path + "/out"
    for arguments in [
      ["transcribe", Sample.dreamland, "--model", model.path, "--output", output],
      ["stream", "--format", "jsonl", "--model", model.path], ["model", "info", model.path],
    ] {
      let result = try Starling.run(arguments)
      expectRefusal(result, saying: "\(model.path)/\(file)", sourceLocation: sourceLocation)
      for part in parts {
        #expect(result.errors.contains(part), sourceLocation: sourceLocation)
      }
    }
    #expect(!FileManager.default.fileExists(atPath: output), sourceLocation: sourceLocation)
  }

  @Test func missingFolder() throws {
    try expectRefused("config.json", saying: "no such file", "model.safetensors and tokens.txt") {
      try FileManager.default.removeItem(atPath: $0.path)
    }
  }

  @Test(arguments: ["config.json", "model.safetensors", "tokens.txt"])
  func missingFile(name: String) throws {
    try expectRefused(name, saying: "cannot be read") { try $0.remove(name) }
  }

  @Test func aFolderInTheFilesPlace() throws {
    try expectRefused("config.json", saying: "Is a directory") {
      try $0.remove("config.json")
      try folder.write("model/config.json/x", [])
    }
  }

  @Test func missingTensor() throws {
    try expectRefused("model.safetensors", saying: "'\(tensor)' of shape [176] is missing") {
      try $0.editTensors { header, _ in header[tensor] = nil }
    }
  }

  @Test func extraTensor() throws {
    try expectRefused("model.safetensors", saying: "1 tensor that", "'encoder.extra.weight'") {
      try $0.editTensors { header, data in
        header["encoder.extra.weight"] = [
          "dtype": "F32", "shape": [1], "data_offsets": [data.count, data.count + 4],
        ]
        data += Data(count: 4)
      }
    }
  }

  @Test func misshapenTensor() throws {
    try expectRefused(
      "model.safetensors", saying: "'ctc.weight' has shape [176, 1025], expected [1025, 176]"
    ) {
      try $0.editTensors { header, _ in header["ctc.weight"]?["shape"] = [176, 1025] }
    }
  }

  @Test func tensorWithNaN() throws {
    try expectRefused("model.safetensors", saying: "'\(tensor)' has a NaN", "at element 5") {
      try $0.editTensors { header, data in
        let start = (header[tensor]?["data_offsets"] as? [Int])?.first ?? 0
        // Half-precision NaN.
        data.replaceSubrange(start + 10..<start + 12, with: [0x00, 0x7E])
      }
    }
  }

  @Test func truncatedTensors() throws {
    try expectRefused("model.safetensors", saying: "truncated") {
      try $0.editTensors { _, data in data.removeLast(100_000) }
    }
  }

  @Test func tensorsThatAreNone() throws {
    try expectRefused("model.safetensors", saying: "not a valid safetensors file") {
      try $0.replace("model.safetensors", "version https://git-lfs.github.com/spec/v1\n")
    }
  }

  @Test func badJSON() throws {
    try expectRefused("config.json", saying: "not valid JSON") {
      try $0.editText("config.json") { String($0.dropLast(20)) }
    }
  }

  @Test func wrongField() throws {
    try expectRefused("config.json", saying: "'encoder.n_heads' is 5", "divisor of d_model (176)") {
      try $0.editText("config.json") {
        $0.replacingOccurrences(
          of: "\"d_model\": 176,\n    \"n_heads\": 4,\n    \"d_feed_forward\": 704,\n    \"conv",
          with: "\"d_model\": 176,\n    \"n_heads\": 5,\n    \"d_feed_forward\": 704,\n    \"conv")
      }
    }
  }

  @Test func missingField() throws {
    try expectRefused("config.json", saying: "'encoder.n_layers' is missing") {
      try $0.editText("config.json") {
        $0.replacingOccurrences(of: "\"n_layers\": 16,", with: "")
      }
    }
  }

  @Test func fieldOfAnotherType() throws {
    try expectRefused("config.json", saying: "'ctc.blank' is not of type Int") {
      try $0.editText("config.json") {
        $0.replacingOccurrences(of: "\"blank\": 1024", with: "\"blank\": \"last\"")
      }
    }
  }

  @Test func tokensOfTheWrongLength() throws {
    try expectRefused("tokens.txt", saying: "has 1023 pieces, expected 1024") {
      try $0.editText("tokens.txt") {
        $0.split(separator: "\n").dropLast().joined(separator: "\n") + "\n"
      }
    }
  }
}
