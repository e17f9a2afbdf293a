import Audio
import Foundation
import Recognizer
import Synchronization
import TestSupport
import Testing

/// Many streams at once say what each says alone.
@Suite struct BatchSchedulerTests {
  private static let model = try! RecognizerModel(directory: Places.shippedModel)
  private static let names = [
    "book-22khz.flac", "telephone-8khz.wav", "dreamland.mp3", "landscape.flac",
  ]

  private static func samples(_ name: String) throws -> [Float] {
    let reader = try AudioFileReader(path: Places.samples + "/" + name)
    var samples: [Float] = []
    while true {
      let part = try reader.read(16_000)
      if part.isEmpty { return samples }
      samples += part
    }
  }

  /// The results of one scheduled stream, and its end.
  private final class Collected: Sendable {
    private let state = Mutex<(results: [RecognitionResult], ends: Int)>(([], 0))
    private let ended = DispatchSemaphore(value: 0)

    func add(_ results: [RecognitionResult], _ isEnd: Bool) {
      state.withLock {
        $0.results += results
        if isEnd { $0.ends += 1 }
      }
      if isEnd { ended.signal() }
    }

    var results: [RecognitionResult] { state.withLock { $0.results } }
    var ends: Int { state.withLock { $0.ends } }

    func waitForEnd() -> Bool { ended.wait(timeout: .now() + 120) == .success }
  }

  private func alone(
    _ samples: [Float], _ options: RecognizerOptions, _ model: RecognizerModel = model
  ) -> [RecognitionResult] {
    let stream = model.makeStream(options)
    return stream.accept(samples) + stream.finish()
  }

  /// Different audio, latencies and passes, in uneven pieces, on one thread and several.
  @Test(arguments: [1, 2, 3])
  func equalToAlone(threads: Int) throws {
    try expectEqualToAlone(Self.model, threads: threads)
  }

  @Test func int8EqualToAlone() throws {
    try expectEqualToAlone(Int8Model.shared, threads: 2)
  }

  @Test func edgesEqualToAlone() throws {
    try expectEqualToAlone(EdgeModel.shared, threads: 2)
  }

  private func expectEqualToAlone(_ model: RecognizerModel, threads: Int) throws {
    let scheduler = BatchScheduler(.init(threads: threads, largestBatch: 5, patience: 0.002))
    defer { scheduler.stop() }
    let audio = try Self.names.map(Self.samples)
    let choices: [RecognizerOptions] = [
      RecognizerOptions(latency: Latency("640ms")!),
      RecognizerOptions(latency: Latency("320ms")!, decoding: .init(finalPass: .fullContext)),
      RecognizerOptions(latency: Latency("4/0")!, decoding: .init(finalPass: .joint)),
      RecognizerOptions(latency: .fullContext, decoding: .init(finalPass: .rescore)),
    ]
    var streams: [(ScheduledStream, Collected, [Float], RecognizerOptions)] = []
    for (index, samples) in audio.enumerated() {
      for (place, options) in choices.enumerated() {
        let collected = Collected()
        let stream = scheduler.makeStream(
          model, options, isBackground: (index + place) % 5 == 0,
          receive: { collected.add($0, $1) })
        streams.append((stream, collected, samples, options))
      }
    }
    var generator = SeededGenerator(seed: UInt64(threads))
    var places = streams.map { _ in 0 }
    while places.indices.contains(where: { places[$0] < streams[$0].2.count }) {
      for index in streams.indices where places[index] < streams[index].2.count {
        let size = Int.random(in: 1...30_000, using: &generator)
        let next = min(streams[index].2.count, places[index] + size)
        streams[index].0.accept(Array(streams[index].2[places[index]..<next]))
        places[index] = next
        if next == streams[index].2.count { streams[index].0.finish() }
      }
    }
    for (_, collected, samples, options) in streams {
      #expect(collected.waitForEnd())
      let expected = alone(samples, options, model)
      #expect(collected.results.map(\.text) == expected.map(\.text))
      #expect(collected.results.map(\.committed) == expected.map(\.committed))
      #expect(collected.results.map(\.kind) == expected.map(\.kind))
      #expect(collected.results.map(\.utterance) == expected.map(\.utterance))
      #expect(collected.ends == 1)
    }
  }

  @Test func nothingSaidStillEnds() throws {
    let scheduler = BatchScheduler(.init(threads: 2))
    defer { scheduler.stop() }
    for count in [0, 1, 399, 16_000] {
      let collected = Collected()
      let stream = scheduler.makeStream(Self.model, receive: { collected.add($0, $1) })
      stream.accept([Float](repeating: 0, count: count))
      stream.finish()
      #expect(collected.waitForEnd())
      #expect(collected.results.map(\.text) == [""])
      #expect(collected.results.map(\.kind) == [.final])
    }
  }

  /// Cancelled streams say nothing more, and the others go on.
  @Test func cancellingDropsOnlyOne() throws {
    let scheduler = BatchScheduler(.init(threads: 2))
    defer { scheduler.stop() }
    let samples = try Self.samples("dreamland.mp3")
    let options = RecognizerOptions(latency: Latency("320ms")!)
    let expected = alone(samples, options).last?.text
    for round in 0..<10 {
      let (dropped, kept) = (Collected(), Collected())
      let first = scheduler.makeStream(Self.model, options) { dropped.add($0, $1) }
      let second = scheduler.makeStream(Self.model, options) { kept.add($0, $1) }
      first.accept(Array(samples.prefix(5000 * round)))
      second.accept(samples)
      if round % 2 == 0 { first.finish() }
      first.cancel()
      first.accept(samples)
      second.finish()
      #expect(kept.waitForEnd())
      #expect(kept.results.last?.text == expected)
      #expect(dropped.ends <= 1 && first.queuedSeconds == 0)
    }
  }

  /// A sender that asks for room never has more than that waiting, unless a chunk is longer.
  @Test(arguments: ["640ms", "full"]) func roomIsBackPressure(latency: String) async throws {
    let scheduler = BatchScheduler(.init(threads: 1))
    defer { scheduler.stop() }
    let samples = try Self.samples("chapter.opus")
    let collected = Collected()
    let stream = scheduler.makeStream(
      Self.model, RecognizerOptions(latency: Latency(latency)!)
    ) { collected.add($0, $1) }
    var most = 0.0
    for start in stride(from: 0, to: samples.count, by: 8000) {
      await stream.room(1)
      stream.accept(Array(samples[start..<min(samples.count, start + 8000)]))
      most = max(most, stream.queuedSeconds)
    }
    stream.finish()
    #expect(collected.waitForEnd())
    #expect(most <= (latency == "full" ? 43.5 : 1.5))
    #expect(
      collected.results.filter { $0.kind == .final }.map(\.text)
        == alone(samples, RecognizerOptions(latency: Latency(latency)!))
        .filter { $0.kind == .final }.map(\.text))
  }

  /// Full context takes 40 s at a time, which is more than a sender may have waiting.
  @Test func aLongFileIsNeverStuck() async throws {
    let scheduler = BatchScheduler(.init(threads: 2))
    defer { scheduler.stop() }
    let chapter = try Self.samples("chapter.opus")
    let collected = Collected()
    let stream = scheduler.makeStream(
      Self.model, RecognizerOptions(latency: .fullContext), isBackground: true
    ) { collected.add($0, $1) }
    var sent = 0
    while sent < 300 * Self.model.sampleRate {
      let start = sent % chapter.count
      let portion = chapter[start..<min(chapter.count, start + 16_000)]
      stream.accept(Array(portion))
      sent += portion.count
      await stream.room(10)
    }
    stream.finish()
    #expect(collected.waitForEnd())
  }

  /// What waits is counted: a thread takes no more of it than a chunk needs.
  @Test func aBacklogIsCountedUntilItIsDecoded() async throws {
    let decoded = Mutex(0)
    let scheduler = BatchScheduler(
      .init(threads: 1),
      report: { report in
        if case .decoded(let streams, _, _) = report { decoded.withLock { $0 += streams } }
      })
    defer { scheduler.stop() }
    let collected = Collected()
    let stream = scheduler.makeStream(
      Self.model, RecognizerOptions(latency: Latency("640ms")!)
    ) { collected.add($0, $1) }
    let (seconds, room, chunk) = (60.0, 10.0, 0.32)
    stream.accept([Float](repeating: 0, count: Int(seconds) * Self.model.sampleRate))
    await stream.room(room)
    // A second may be in hand, as features and look-ahead.
    let heard = Double(decoded.withLock { $0 }) * chunk
    #expect(heard > seconds - room - 1)
    #expect(heard + stream.queuedSeconds > seconds - 1)
    stream.finish()
    #expect(collected.waitForEnd())
  }

  /// Live chunks go through the encoder together when they come together.
  @Test func chunksShareAPass() throws {
    let batches = Mutex<[Int]>([])
    let scheduler = BatchScheduler(
      .init(threads: 1, largestBatch: 8, patience: 0.5),
      report: { report in
        if case .decoded(let streams, _, _) = report { batches.withLock { $0.append(streams) } }
      })
    defer { scheduler.stop() }
    let samples = try Self.samples("dreamland.mp3")
    let collected = (0..<8).map { _ in Collected() }
    let streams = collected.map { one in
      scheduler.makeStream(
        Self.model, RecognizerOptions(latency: Latency("640ms")!), receive: { one.add($0, $1) })
    }
    for start in stride(from: 0, to: samples.count, by: 1600) {
      for stream in streams {
        stream.accept(Array(samples[start..<min(samples.count, start + 1600)]))
      }
    }
    for stream in streams { stream.finish() }
    for one in collected { #expect(one.waitForEnd()) }
    #expect(batches.withLock { $0.max() ?? 0 } == 8)
  }
}
