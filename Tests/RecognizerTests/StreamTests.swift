import Audio
import Decoding
import Foundation
import Recognizer
import TestSupport
import Testing

/// What a stream promises, whatever it hears and however the audio comes.
@Suite struct StreamTests {
  private static let model = try! RecognizerModel(directory: Places.shippedModel)
  private static let latencies = ["160ms", "640ms", "1280ms", "full"]

  private func samples(_ name: String, seconds: Double = .infinity) throws -> [Float] {
    let reader = try AudioFileReader(path: Places.samples + "/" + name)
    var samples: [Float] = []
    while Double(samples.count) < seconds * 16_000 {
      let part = try reader.read(16_000)
      if part.isEmpty { break }
      samples += part
    }
    return Array(samples.prefix(Int(min(Double(samples.count), seconds * 16_000))))
  }

  private func stream(
    _ latency: String, model: RecognizerModel = Self.model, workspace: Workspace = Workspace(),
    rules: EndpointRules = EndpointRules(), wantsPartials: Bool = true
  ) -> RecognizerStream {
    model.makeStream(
      RecognizerOptions(
        latency: Latency(latency)!, endpointRules: rules,
        wantsPartials: wantsPartials),
      workspace: workspace)
  }

  /// All results of a stream that is given `samples` in pieces of the sizes that `next` says.
  private func run(
    _ stream: RecognizerStream, _ samples: [Float], pieces next: () -> Int
  ) -> [RecognitionResult] {
    var results: [RecognitionResult] = []
    var start = 0
    while start < samples.count {
      let end = min(samples.count, start + next())
      results += stream.accept(samples[start..<end])
      start = end
    }
    return results + stream.finish()
  }

  private func run(_ stream: RecognizerStream, _ samples: [Float]) -> [RecognitionResult] {
    run(stream, samples) { max(1, samples.count) }
  }

  /// Partial results included: each is a matter of its block alone, down to the last bit.
  @Test(arguments: latencies)
  func anySplitGivesIdenticalResults(latency: String) throws {
    for name in ["dreamland.mp3", "switzerland.mp3"] {
      let samples = try samples(name)
      let whole = run(stream(latency), samples)
      #expect(whole.last?.text.isEmpty == false)
      for piece in name == "dreamland.mp3" ? [1, 7, 160, 16_000] : [] {
        let split = run(stream(latency), samples) { piece }
        #expect(split == whole, "\(name) in pieces of \(piece)")
      }
      for seed in 0..<2 {
        var generator = SeededGenerator(seed: UInt64(seed))
        let split = run(stream(latency), samples) {
          // Sizes of every order of magnitude.
          1 + Int(exp(Double.random(in: 0..<log(40_000), using: &generator)))
        }
        #expect(split == whole, "\(name) in random pieces, seed \(seed)")
      }
    }
  }

  /// The finals do not depend on whether partial results are wanted.
  @Test(arguments: latencies)
  func partialsChangeNoFinal(latency: String) throws {
    let samples = try samples("chapter.opus", seconds: 20)
    let with = run(stream(latency), samples).filter { $0.kind == .final }
    let without = run(stream(latency, wantsPartials: false), samples)
    #expect(with.map(\.text) == without.map(\.text))
    for (a, b) in zip(with.flatMap(\.words), without.flatMap(\.words)) {
      #expect(a.start == b.start && a.end == b.end)
      // A product of fewer rows may add up in another order.
      #expect(abs(a.confidence - b.confidence) < 1e-4)
    }
    #expect(without.allSatisfy { $0.kind == .final })
  }

  @Test func interleavedStreamsEqualEachAlone() throws {
    let workspace = Workspace()
    let inputs = try [
      ("160ms", samples("dreamland.mp3")), ("640ms", samples("switzerland.mp3")),
      ("full", samples("stereo-48khz.wav")), ("8/0", samples("dreamland.mp3")),
    ]
    let alone = inputs.map { run(stream($0.0), $0.1) }
    let streams = inputs.map { stream($0.0, workspace: workspace) }
    var together = Array(repeating: [RecognitionResult](), count: inputs.count)
    var positions = Array(repeating: 0, count: inputs.count)
    var generator = SeededGenerator(seed: 5)
    while let index = inputs.indices.filter({ positions[$0] < inputs[$0].1.count })
      .randomElement(using: &generator)
    {
      let samples = inputs[index].1
      let end = min(samples.count, positions[index] + Int.random(in: 1..<9000, using: &generator))
      together[index] += streams[index].accept(samples[positions[index]..<end])
      positions[index] = end
    }
    for index in inputs.indices { together[index] += streams[index].finish() }
    #expect(together == alone)
  }

  @Test(arguments: latencies + ["8/0", "1/0"])
  func emptyAndTinyStreamsEndWithAFinal(latency: String) throws {
    for count in [0, 1, 159, 160, 161, 399, 400, 640, 5120] {
      let results = run(stream(latency), Array(repeating: 0, count: count))
      #expect(results.count == 1, "\(count) samples")
      #expect(results.last?.kind == .final)
      #expect(results.last?.text == "")
      #expect(results.last?.words.isEmpty == true)
    }
  }

  @Test(arguments: ["160ms", "640ms", "8/0"])
  func whatIsCommittedStays(latency: String) throws {
    // Short utterances, so that there are many.
    let rules = EndpointRules(trailingSilence: 0.4, longestUtterance: 3)
    let samples = try samples("chapter.opus", seconds: 25)
    let results = run(
      stream(latency, rules: rules), samples)
    var utterance = 0
    var committed = ""
    for result in results {
      #expect(result.utterance == utterance)
      #expect(result.text.hasPrefix(result.committed))
      #expect(result.committed.hasPrefix(committed))
      #expect(result.words.map(\.word).joined(separator: " ") == result.text)
      committed = result.committed
      guard result.kind == .final else { continue }
      #expect(result.committed == result.text)
      committed = ""
      utterance += 1
    }
    #expect(utterance > 5)
    #expect(results.last?.kind == .final)
    // The cuts change no word: the same text as without any.
    let uncut = run(
      stream(
        latency, rules: EndpointRules(trailingSilence: nil, longestUtterance: nil),
        wantsPartials: false), samples)
    let finals = results.filter { $0.kind == .final }.map(\.text)
    #expect(uncut.map(\.text) == [finals.joined(separator: " ")])
  }

  /// To the first model, at 160 ms, this sample's first breath sounds like a word for a moment.
  @Test(.enabled(if: Places.hasShared, "../shared/weights is not here"))
  func aTentativeWordIsTakenBack() throws {
    let model = try RecognizerModel(directory: FirstModel.folder)
    let results = run(stream("160ms", model: model), try samples("book-22khz.flac", seconds: 3))
    #expect(results.first?.text.isEmpty == false)
    #expect(results.contains { $0.kind == .partial && $0.text.isEmpty && $0.words.isEmpty })
  }

  @Test(arguments: ["160ms", "640ms", "8/0"])
  func memoryIsConstant(latency: String) throws {
    let workspace = Workspace()
    let stream = stream(latency, workspace: workspace)
    let atStart = stream.byteCount
    let samples = try samples("chapter.opus", seconds: 5)
    _ = stream.accept(samples)
    let scratch = workspace.byteCount
    for _ in 0..<8 {
      _ = stream.accept(samples)
      #expect(stream.byteCount == atStart)
      #expect(workspace.byteCount == scratch)
    }
    #expect(stream.duration > 40)
  }

  /// Kaldi's front end adds no frame at the end, so that the last block may already hold all of
  /// them when the audio ends; its look-ahead must be heard all the same.
  @Test func theLastLookAheadIsFlushedWithKaldiFeatures() throws {
    let folder = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for name in ["model.safetensors", "tokens.txt"] {
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/" + name, withDestinationPath: Places.shippedModel + "/" + name)
    }
    let config = try String(contentsOfFile: Places.shippedModel + "/config.json", encoding: .utf8)
    try config.replacingOccurrences(of: "nemo_log_mel", with: "kaldi_fbank")
      .write(toFile: folder + "/config.json", atomically: true, encoding: .utf8)
    let model = try RecognizerModel(directory: folder)
    // Samples scaled so that Kaldi's energies, of int16, are those that the model knows.
    let samples = try samples("dreamland.mp3").map { $0 / 32768 }
    // Blocks of 8 + 8 frames take 64, 96, 128 … mel frames: after 6·32 + 64 nothing is left.
    for blocks in 3..<9 {
      let melFrames = 64 + 32 * blocks
      let whole = samples.prefix(400 + 160 * (melFrames - 1))
      let results = run(stream("8/8", model: model), Array(whole))
      // As the look-ahead of the last block is the audio's end, its last partial is the truth.
      let partial = results.last { $0.kind == .partial }
      #expect(results.last?.text == partial?.text)
      #expect(results.last?.committed == results.last?.text)
    }
  }
}
