import Foundation
import TestSupport
import Testing

/// Long audio takes no more memory than short audio.
@Suite(.serialized) struct MemoryTests {
  static let areLong = ProcessInfo.processInfo.environment["STARLING_LONG_TESTS"] == "1"

  enum Mode: CaseIterable { case transcribe, stream }

  let folder = TemporaryFolder()

  /// Speech of the samples, over and over, as a WAV of 16-bit samples at 16 kHz.
  private func write(minutes: Int) throws -> String {
    let speech = try [Sample.chapter, Sample.book, Sample.stereo, Sample.telephone]
      .flatMap { try Sample.pcm16($0) }
    let path = try folder.write("\(minutes).wav", [])
    let file = try #require(FileHandle(forWritingAtPath: path))
    var left = minutes * 60 * 32_000
    try file.write(
      contentsOf: Data(WAV(statedLength: UInt32(left)).bytes))
    while left > 0 {
      let part = speech.prefix(left)
      try file.write(contentsOf: Data(part))
      left -= part.count
    }
    try file.close()
    return path
  }

  private func run(
    _ mode: Mode, _ path: String, model: String, timeLimit: Double
  ) throws -> Starling.Result {
    let starling: Starling
    switch mode {
    case .transcribe:
      starling = try Starling(
        ["transcribe", path, "--format", "jsonl"], hasInput: false, model: model,
        timeLimit: timeLimit)
    case .stream:
      starling = try Starling(
        ["stream", "--latency", "640ms", "--format", "jsonl"], model: model, timeLimit: timeLimit)
      let file = try #require(FileHandle(forReadingAtPath: path))
      while let part = try file.read(upToCount: 1 << 16), !part.isEmpty { starling.write(part) }
    }
    starling.endInput()
    return starling.wait()
  }

  private func expectBounded(
    _ mode: Mode, minutes: (few: Int, many: Int), model: String, timeLimit: Double
  ) throws {
    let few = try run(
      mode, write(minutes: minutes.few), model: model, timeLimit: timeLimit)
    let many = try run(
      mode, write(minutes: minutes.many), model: model, timeLimit: timeLimit)
    for result in [few, many] { expectSuccess(result) }
    #expect(many.output.utf8.count > 3 * few.output.utf8.count, "hardly any text in long audio")
    #expect(few.peakBytes > 10 << 20, "the memory has not been seen")
    // The heap may grow by what freed blocks leave between them; sixteen minutes of samples would
    // add 61 MB, of features 30 MB.
    #expect(
      Double(many.peakBytes) < 1.15 * Double(few.peakBytes) + 10e6,
      "\(minutes.few) minutes: \(few.peakBytes >> 20) MiB, \(minutes.many): \(many.peakBytes >> 20)"
    )
  }

  /// With one layer of the model, so that it takes seconds. All that could pile up is there:
  /// audio, features, caches, hypotheses and results.
  @Test(arguments: Mode.allCases)
  func twentyMinutesTakeTheMemoryOfFour(mode: Mode) throws {
    let model = try ModelFolder(folder)
    try model.keepOneLayer()
    try expectBounded(mode, minutes: (4, 20), model: model.path, timeLimit: 240)
  }

  /// The shipped int8 model hears a live stream in the memory of its weights, 40 MB of program and
  /// libraries, and 3 MB of stream; loading it takes no more.
  @Test func int8ModelTakesLittleMoreThanItsWeights() throws {
    let model = Places.shippedInt8Model
    let attributes = try FileManager.default.attributesOfItem(
      atPath: model + "/model.safetensors")
    let weights = try #require(attributes[.size] as? Int)
    let result = try run(.stream, write(minutes: 2), model: model, timeLimit: 120)
    expectSuccess(result)
    #expect(result.peakBytes > weights, "the memory has not been seen")
    #expect(result.peakBytes <= weights + 43_000_000, "\(result.peakBytes) bytes")
  }

  /// The whole model for three hours: `STARLING_LONG_TESTS=1 swift test --filter threeHours`.
  @Test(.enabled(if: areLong, "STARLING_LONG_TESTS is not 1"), arguments: Mode.allCases)
  func threeHoursTakeTheMemoryOfFourMinutes(mode: Mode) throws {
    try expectBounded(
      mode, minutes: (4, 180), model: Places.shippedModel, timeLimit: 3 * 3600)
  }
}
