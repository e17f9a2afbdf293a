import Audio
import CSndfile
import Foundation

/// Seeded, so that a failing run can be repeated.
struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A folder that is gone with the test.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "/starling-audio-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let file = path + "/" + name
    let folder = (file as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  /// A file written by libsndfile; `samples` interleaved.
  func encode(
    _ name: String, _ format: Int, rate: Int, channels: Int = 1, _ samples: [Float]
  ) throws -> String {
    let file = path + "/" + name
    var info = SF_INFO()
    info.samplerate = Int32(rate)
    info.channels = Int32(channels)
    info.format = Int32(format)
    guard let handle = sf_open(file, Int32(SFM_WRITE), &info) else {
      throw FixtureError(message: String(cString: sf_strerror(nil)))
    }
    sf_writef_float(handle, samples, sf_count_t(samples.count / channels))
    sf_close(handle)
    return file
  }
}

struct FixtureError: Error { let message: String }

func bytes(of path: String) throws -> [UInt8] {
  [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// `audio-samples/` at the root of the repository.
func sample(_ name: String, filePath: String = #filePath) -> String {
  URL(fileURLWithPath: filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("audio-samples/" + name).path
}

func sine(_ frequency: Double, rate: Int, count: Int, amplitude: Double = 0.5) -> [Float] {
  (0..<count).map { Float(amplitude * sin(2 * .pi * frequency * Double($0) / Double(rate))) }
}

func noise(_ count: Int, seed: UInt64, amplitude: Float = 0.5) -> [Float] {
  var generator = SplitMix64(state: seed)
  return (0..<count).map { _ in Float.random(in: -amplitude...amplitude, using: &generator) }
}

func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
  (0..<MemoryLayout<T>.size).map { UInt8(truncatingIfNeeded: value >> (8 * T($0))) }
}

func pcm16(_ samples: [Float]) -> [UInt8] {
  samples.flatMap { littleEndian(Int16(max(-32768, min(32767, ($0 * 32768).rounded())))) }
}

/// A WAV header and its parts, each of which a test may get wrong.
struct WAVFixture {
  var magic = "RIFF"
  var tag: UInt16 = 1
  var channels = 1
  var rate = 16_000
  var bits = 16
  var data: [UInt8] = []
  /// What the header states; nil: the truth.
  var statedLength: UInt32?
  var extensible = false
  /// Chunks as they stand before and after the data.
  var before: [UInt8] = []
  var after: [UInt8] = []

  var bytes: [UInt8] {
    let block = channels * ((bits + 7) / 8)
    var format = littleEndian(extensible ? 0xFFFE : tag) + littleEndian(UInt16(channels))
    format += littleEndian(UInt32(rate)) + littleEndian(UInt32(truncatingIfNeeded: rate * block))
    format += littleEndian(UInt16(truncatingIfNeeded: block)) + littleEndian(UInt16(bits))
    if extensible {
      format += littleEndian(UInt16(22)) + littleEndian(UInt16(bits)) + littleEndian(UInt32(0))
      format += littleEndian(tag) + [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]
    }
    let length = littleEndian(statedLength ?? UInt32(data.count))
    var body = Array("WAVE".utf8) + before + WAVFixture.chunk("fmt ", format)
    body += Array("data".utf8) + length + data + after
    return Array(magic.utf8) + littleEndian(UInt32(body.count)) + body
  }

  static func chunk(_ id: String, _ bytes: [UInt8]) -> [UInt8] {
    let padding: [UInt8] = bytes.count % 2 == 0 ? [] : [0]
    return Array(id.utf8) + littleEndian(UInt32(bytes.count)) + bytes + padding
  }
}

/// Everything a file holds, read `block` samples at a time.
func readAll(
  _ path: String, channel: ChannelSelection = .downmix, sampleRate: Int = 16_000, block: Int = 4000
) throws -> [Float] {
  try readAll(AudioFileReader(path: path, channel: channel, sampleRate: sampleRate), block: block)
}

func readAll(_ reader: AudioFileReader, block: Int = 4000) throws -> [Float] {
  var samples: [Float] = []
  while true {
    let next = try reader.read(block)
    if next.isEmpty { return samples }
    samples += next
  }
}

/// Everything a stream gives for bytes in pieces of the given sizes, then the rest.
func decodeAll(
  _ stream: AudioByteStream, _ bytes: [UInt8], pieces: [Int] = []
) throws -> [Float] {
  var samples: [Float] = []
  var position = 0
  for piece in pieces where position < bytes.count {
    let end = min(bytes.count, position + piece)
    samples += try stream.accept(Array(bytes[position..<end]))
    position = end
  }
  samples += try stream.accept(Array(bytes[position...]))
  return try samples + stream.finish()
}

/// The error that a call throws, nil if it throws none.
func audioError(_ body: () throws -> Void) throws -> AudioError? {
  do {
    try body()
    return nil
  } catch let error as AudioError {
    return error
  }
}

func maximumDifference(_ a: [Float], _ b: [Float]) -> Float {
  zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
