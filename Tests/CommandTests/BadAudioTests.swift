import Foundation
import TestSupport
import Testing

/// One clear line, a failing exit code, nothing half-written.
@Suite struct BadAudioTests {
  let folder = TemporaryFolder()

  /// Transcribes what is said of `name` to an output folder, and once more to standard output.
  private func expectRefused(
    _ name: String, _ bytes: [UInt8]?, saying part: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    if let bytes { try folder.write(name, bytes) }
    let before = folder.content
    let path = folder.path + "/" + name
    for output in [["--output", folder.path + "/out"], []] {
      let result = try Starling.run(["transcribe", path] + output)
      expectRefusal(result, saying: "'\(path)'", part, sourceLocation: sourceLocation)
      #expect(folder.content == before, sourceLocation: sourceLocation)
    }
  }

  /// A second of a tone as 32-bit floats with one other number in the middle.
  private func floats(_ number: Float) -> WAV {
    let samples = (0..<16_000).map { $0 == 8000 ? number : 0.3 * sinf(Float($0) / 10) }
    return WAV(tag: 3, bits: 32, data: samples.flatMap { littleEndian($0.bitPattern) })
  }

  @Test func missingFile() throws {
    try expectRefused("missing.wav", nil, saying: "no such file")
  }

  @Test func folderWithoutAudio() throws {
    try folder.write("texts/readme.txt", "nothing to hear".utf8)
    try expectRefused("texts", nil, saying: "found none with a known extension")
  }

  @Test func emptyFile() throws {
    try expectRefused("empty.wav", [], saying: "found 0 bytes")
  }

  @Test func wavWithoutSamples() throws {
    try expectRefused("silent.wav", WAV().bytes, saying: "without any samples")
  }

  @Test func truncatedWAV() throws {
    let half = try bytes(of: Sample.stereo).prefix(400_000)
    try expectRefused("cut.wav", Array(half), saying: "promises 843544 bytes of audio, found")
  }

  @Test func truncatedFLAC() throws {
    let half = try bytes(of: Sample.book).prefix(100_000)
    try expectRefused("cut.flac", Array(half), saying: "copy it again")
  }

  @Test func textNamedWAV() throws {
    let text = String(repeating: "To be, or not to be, that is the question.\n", count: 100)
    try expectRefused("text.wav", Array(text.utf8), saying: "not a known audio format")
  }

  @Test func oneSample() throws {
    try expectRefused("one.wav", WAV(data: [1, 2]).bytes, saying: "too short")
  }

  @Test func notANumber() throws {
    try expectRefused("nan.wav", floats(.nan).bytes, saying: "found nan at sample 8000 (0.500 s)")
  }

  @Test func infinity() throws {
    try expectRefused(
      "inf.wav", floats(-.infinity).bytes, saying: "found -inf at sample 8000 (0.500 s)")
  }

  @Test func aNameCannotMakeTwoLines() throws {
    try expectRefused("a\nb.wav".replacingOccurrences(of: "\n", with: ""), [], saying: "0 bytes")
    let result = try Starling.run(["transcribe", folder.path + "/two\nlines.wav"])
    expectRefusal(result, saying: "no such file")
  }

  @Test func standardInputIsHeldToTheSame() throws {
    let cut = try bytes(of: Sample.stereo).prefix(400_000)
    let cases: [([UInt8], String)] = [
      ([], "found 0 bytes"), (WAV().bytes, "without any samples"),
      (WAV(data: [1, 2]).bytes, "too short"), (Array(cut), "truncated"),
      (Array("just some text that nobody can hear".utf8), "no known format"),
      (floats(.nan).bytes, "found nan at sample 8000"),
      (try Array(bytes(of: Sample.book).prefix(100_000)), "copy it again"),
    ]
    for (input, part) in cases {
      let result = try Starling.run(
        ["transcribe", "-", "--output", folder.path + "/out"], input: input)
      expectRefusal(result, saying: "'standard input'", part)
      #expect(folder.content == [])
    }
  }
}
