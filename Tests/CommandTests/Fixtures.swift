import Audio
import Foundation
import TestSupport

/// A folder that is gone with the test.
final class TemporaryFolder {
  let path = Places.temporaryFolder()

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Writes a file, with the folders it needs, and returns its path.
  @discardableResult
  func write(_ name: String, _ bytes: some Sequence<UInt8>) throws -> String {
    let file = path + "/" + name
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  func copy(_ sample: String, to name: String) throws {
    try write(name, bytes(of: Places.samples + "/" + sample))
  }

  func text(_ name: String) throws -> String {
    try String(contentsOfFile: path + "/" + name, encoding: .utf8)
  }

  /// Everything below the folder, hidden files included, sorted.
  var content: [String] {
    FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String }.sorted() ?? []
  }
}

/// Speech that lies in `audio-samples/`.
enum Sample {
  static let book = Places.samples + "/book-22khz.flac"
  static let telephone = Places.samples + "/telephone-8khz.wav"
  static let dreamland = Places.samples + "/dreamland.mp3"
  static let stereo = Places.samples + "/stereo-48khz.wav"
  /// What the shipped model hears in `stereo`: a word off what `texts.tsv` says.
  static let stereoText =
    "quick was of disappointment in his face yet smiling was the acquiescence"
  static let chapter = Places.samples + "/chapter.opus"

  /// What `texts.tsv` says is heard in a sample.
  static func text(_ path: String) throws -> String {
    let name = (path as NSString).lastPathComponent + "\t"
    let table = try String(contentsOfFile: Places.samples + "/texts.tsv", encoding: .utf8)
    guard let line = table.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else {
      throw CommandFailure(description: "texts.tsv does not list \(name)")
    }
    return String(line.dropFirst(name.count))
  }

  /// The first seconds of a file as 16-bit samples at 16 kHz.
  static func pcm16(_ path: String, seconds: Double = .infinity) throws -> [UInt8] {
    let reader = try AudioFileReader(path: path)
    var samples: [Float] = []
    while Double(samples.count) < seconds * 16_000 {
      let next = try reader.read(16_000)
      if next.isEmpty { break }
      samples += next
    }
    let count = min(Double(samples.count), seconds * 16_000)
    return samples.prefix(Int(count)).flatMap {
      littleEndian(Int16(max(-32768, min(32767, ($0 * 32768).rounded()))))
    }
  }

  /// The bytes of a WAV's samples, whose header has 44 bytes or ends with the word `data`.
  static func data(ofWAV path: String) throws -> [UInt8] {
    let all = try bytes(of: path)
    let mark = Array("data".utf8)
    guard let start = (0..<1000).first(where: { Array(all[$0..<$0 + 4]) == mark }) else {
      throw CommandFailure(description: "\(path): no data chunk")
    }
    return Array(all[(start + 8)...])
  }
}

/// A WAV whose header may lie.
struct WAV {
  var tag = 1
  var channels = 1
  var rate = 16_000
  var bits = 16
  var statedLength: UInt32?
  var data: [UInt8] = []

  var bytes: [UInt8] {
    let frame = channels * bits / 8
    let length = statedLength ?? UInt32(data.count)
    let size = statedLength == nil ? UInt32(data.count + 36) : length
    return Array("RIFF".utf8) + littleEndian(size) + Array("WAVEfmt ".utf8)
      + littleEndian(UInt32(16)) + littleEndian(UInt16(tag)) + littleEndian(UInt16(channels))
      + littleEndian(UInt32(rate)) + littleEndian(UInt32(rate * frame))
      + littleEndian(UInt16(frame)) + littleEndian(UInt16(bits)) + Array("data".utf8)
      + littleEndian(length) + data
  }
}

func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
  (0..<MemoryLayout<T>.size).map { UInt8(truncatingIfNeeded: value >> (8 * T($0))) }
}

func bytes(of path: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// A model folder made from the shipped one, with its mistakes.
struct ModelFolder {
  let path: String
  private let folder: TemporaryFolder

  /// All files of the shipped model, linked.
  init(_ folder: TemporaryFolder) throws {
    self.folder = folder
    path = folder.path + "/model"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    for name in ["config.json", "model.safetensors", "tokens.txt"] {
      try FileManager.default.createSymbolicLink(
        atPath: path + "/" + name, withDestinationPath: Places.shippedModel + "/" + name)
    }
  }

  func remove(_ name: String) throws {
    try FileManager.default.removeItem(atPath: path + "/" + name)
  }

  func replace(_ name: String, _ text: String) throws {
    try remove(name)
    try folder.write("model/" + name, text.utf8)
  }

  func editText(_ name: String, _ change: (String) -> String) throws {
    try replace(name, change(String(contentsOfFile: path + "/" + name, encoding: .utf8)))
  }

  /// Rewrites the tensors: `change` gets the header, by tensor, and the bytes behind it.
  func editTensors(_ change: (inout [String: [String: Any]], inout Data) -> Void) throws {
    let file = try Data(contentsOf: URL(fileURLWithPath: path + "/model.safetensors"))
    let length = Int(file.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
    let json = try JSONSerialization.jsonObject(with: file[8..<8 + length])
    var header = (json as? [String: [String: Any]]) ?? [:]
    header["__metadata__"] = nil
    var data = Data(file[(8 + length)...])
    change(&header, &data)
    let text = try JSONSerialization.data(withJSONObject: header)
    try remove("model.safetensors")
    try folder.write(
      "model/model.safetensors", Data(littleEndian(UInt64(text.count))) + text + data)
  }

  /// A model that runs many times as fast and understands nothing, for tests of everything around
  /// it: only the first layer is left.
  func keepOneLayer() throws {
    try editText("config.json") {
      let cut = $0.replacingOccurrences(of: "\"n_layers\": 16", with: "\"n_layers\": 1")
      let start = cut.range(of: "\"decoder\"")!.lowerBound
      return String(cut[..<start] + cut[cut.range(of: "\"streaming\"")!.lowerBound...])
    }
    try editTensors { header, _ in
      header = header.filter { name, _ in
        !name.hasPrefix("decoder.")
          && (!name.hasPrefix("encoder.layers.") || name.hasPrefix("encoder.layers.0."))
      }
    }
  }
}
