import Audio
import TestSupport

/// Sound for the shipped model, at 16 kHz.
enum Speech {
  /// All samples of a file of `audio-samples/`.
  static func samples(_ name: String) throws -> [Float] {
    let reader = try AudioFileReader(path: Places.samples + "/" + name)
    var samples: [Float] = []
    while true {
      let part = try reader.read(16_000)
      if part.isEmpty { return samples }
      samples += part
    }
  }

  /// Faint noise, as a microphone hears an empty room.
  static func noise(seconds: Double, seed: UInt64 = 3) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<Int(seconds * 16_000)).map { _ in generator.normal(0.001) }
  }
}
