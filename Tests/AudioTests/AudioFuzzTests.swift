import Audio
import CSndfile
import Foundation
import Testing

/// Damaged bytes must throw or be read, never trap, hang or give what is not finite.
@Suite struct AudioFuzzTests {
  static let formats = [
    ("wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16), ("wavex", SF_FORMAT_WAVEX | SF_FORMAT_FLOAT),
    ("rf64", SF_FORMAT_RF64 | SF_FORMAT_PCM_24), ("adpcm", SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM),
    ("flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16), ("ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS),
    ("opus", SF_FORMAT_OGG | SF_FORMAT_OPUS), ("aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16),
    ("au", SF_FORMAT_AU | SF_FORMAT_ULAW),
    ("mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III),
  ]

  func mutate(_ whole: [UInt8], _ generator: inout SplitMix64) -> [UInt8] {
    var bytes = whole
    // Half of the damage to the header, where it hurts most.
    let reach = Bool.random(using: &generator) ? min(128, bytes.count) : bytes.count
    for _ in 0..<Int.random(in: 0...8, using: &generator) {
      let position = Int.random(in: 0..<reach, using: &generator)
      let extremes: [UInt8] = [
        0, 0xFF, 0x7F, 0x80, 1, UInt8.random(in: 0...255, using: &generator),
      ]
      bytes[position] = extremes.randomElement(using: &generator)!
    }
    switch Int.random(in: 0..<4, using: &generator) {
    case 0: bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator))
    case 1: bytes.removeSubrange(0..<Int.random(in: 0..<reach, using: &generator))
    default: break
    }
    return bytes
  }

  @Test(arguments: formats)
  func damagedFiles(name: String, format: Int) throws {
    let folder = try TemporaryFolder()
    let signal = noise(6000, seed: 2)
    let whole = try bytes(of: folder.encode("a", format, rate: 16_000, channels: 2, signal))
    var generator = SplitMix64(state: 1234)
    for round in 0..<300 {
      let damaged = mutate(whole, &generator)
      let file = try folder.write("damaged." + name, damaged)
      do {
        let samples = try readAll(file)
        #expect(samples.count >= 400 && samples.count < 20_000_000, "round \(round)")
        #expect(samples.allSatisfy { $0.isFinite }, "round \(round)")
      } catch is AudioError {
      }
      do {
        _ = AudioByteStream.containerName(of: damaged)
        let pieces = (0..<20).map { _ in Int.random(in: 0...50, using: &generator) }
        let samples = try decodeAll(AudioByteStream(), damaged, pieces: pieces)
        #expect(samples.allSatisfy { $0.isFinite }, "round \(round)")
      } catch is AudioError {
      }
    }
  }

  @Test func randomBytes() throws {
    let folder = try TemporaryFolder()
    var generator = SplitMix64(state: 99)
    for length in 0..<200 {
      var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
      if length % 2 == 0 { bytes = Array("RIFF____WAVEfmt ".utf8) + bytes }
      let file = try folder.write("noise.wav", bytes)
      _ = try audioError { _ = try readAll(file) }
      _ = try audioError { _ = try decodeAll(AudioByteStream(), bytes) }
    }
  }
}
