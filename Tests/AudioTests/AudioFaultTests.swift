import Audio
import CSndfile
import Foundation
import Testing

@Suite struct AudioFaultTests {
  let folder: TemporaryFolder
  let signal = noise(32_000, seed: 11)

  init() throws { folder = try TemporaryFolder() }

  func openError(_ path: String) throws -> AudioError? {
    try audioError { _ = try AudioFileReader(path: path) }
  }

  @Test func pathsThatAreNoFile() throws {
    let missing = folder.path + "/missing.wav"
    #expect(try openError(missing) == .fileNotFound(file: missing))
    #expect(try openError("") == .fileNotFound(file: ""))
    #expect(try openError(folder.path) == .isFolder(file: folder.path))
    let empty = try folder.write("empty.wav", [])
    #expect(try openError(empty) == .emptyFile(file: empty))
    let nul = try folder.write("a.wav", WAVFixture(data: pcm16(signal)).bytes) + "\0.wav"
    #expect(try openError(nul) == .fileNotFound(file: nul))
  }

  @Test(.enabled(if: geteuid() != 0, "root may read everything"))
  func unreadablePermission() throws {
    let file = try folder.write("a.wav", WAVFixture(data: pcm16(signal)).bytes)
    chmod(file, 0)
    #expect(try openError(file) == .permissionDenied(file: file))
  }

  @Test func whatIsNoAudio() throws {
    let text = try folder.write(
      "text.wav", Array(String(repeating: "To be, or not to be. ", count: 200).utf8))
    guard case .notAudio(text, _) = try openError(text) else {
      Issue.record("text was read as audio")
      return
    }
    let zeros = try folder.write("zeros.wav", Array(repeating: 0, count: 5000))
    guard case .notAudio = try openError(zeros) else {
      Issue.record("zeros were read as audio")
      return
    }
  }

  @Test func filesWithoutSamples() throws {
    let list = WAVFixture.chunk("LIST", Array(repeating: 5, count: 3000))
    for (name, bytes) in [
      ("a.wav", WAVFixture().bytes), ("b.wav", WAVFixture(after: list).bytes),
      ("c.wav", WAVFixture(tag: 3, bits: 32, statedLength: .max).bytes),
    ] {
      let file = try folder.write(name, bytes)
      #expect(throws: AudioError.noSamples(file: file)) { try readAll(file) }
    }
    for format in [SF_FORMAT_AIFF, SF_FORMAT_AU, SF_FORMAT_CAF] {
      let file = try folder.encode("empty", format | SF_FORMAT_PCM_16, rate: 16_000, [])
      #expect(throws: AudioError.noSamples(file: file)) { try readAll(file) }
    }
  }

  @Test func filesShorterThanOneWindow() throws {
    for count in [1, 399] {
      let file = try folder.write("a.wav", WAVFixture(data: pcm16(signal.prefix(count) + [])).bytes)
      let error = AudioError.tooShort(file: file, samples: count, sampleRate: 16_000)
      #expect(throws: error) { try readAll(file, block: 100) }
    }
    let file = try folder.write("b.wav", WAVFixture(data: pcm16(signal.prefix(400) + [])).bytes)
    #expect(try readAll(file, block: 100).count == 400)
    // The window counts after resampling.
    let slow = WAVFixture(rate: 8000, data: pcm16(signal.prefix(200) + []))
    #expect(try readAll(folder.write("c.wav", slow.bytes)).count == 400)
    let fast = WAVFixture(rate: 48_000, data: pcm16(signal.prefix(1100) + []))
    let short = try folder.write("d.wav", fast.bytes)
    #expect(try audioError { _ = try readAll(short) }?.description.contains("too short") == true)
  }

  @Test func truncatedWAVsAreToldAtOpen() throws {
    for magic in ["RIFF", "RF64"] {
      let wav = WAVFixture(magic: magic, data: pcm16(signal), extensible: true).bytes
      let file = try folder.write("a.wav", Array(wav.dropLast(1000)))
      #expect(
        try openError(file)
          == .truncated(file: file, expected: 64_000, found: 63_000, unit: .bytes))
    }
    // Encodings that libsndfile decodes are checked too.
    for format in [
      SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM, SF_FORMAT_AIFF | SF_FORMAT_PCM_16,
      SF_FORMAT_AU | SF_FORMAT_PCM_16, SF_FORMAT_W64 | SF_FORMAT_PCM_16,
    ] {
      let whole = try bytes(of: folder.encode("a", format, rate: 16_000, signal))
      let file = try folder.write("cut", Array(whole.prefix(whole.count / 2)))
      guard case .truncated(file, _, _, .bytes) = try openError(file) else {
        Issue.record("half of a file of format \(format) was accepted")
        continue
      }
    }
    let headless = try folder.write("b.wav", Array(WAVFixture().bytes.prefix(30)))
    guard case .malformedHeader = try openError(headless) else {
      Issue.record("half a header was accepted")
      return
    }
  }

  @Test func aTruncatedFLACIsToldAfterWhatWasThere() throws {
    let whole = try bytes(of: sample("landscape.flac"))
    for length in [whole.count / 4, whole.count / 2, whole.count - 100] {
      let file = try folder.write("a.flac", Array(whole.prefix(length)))
      let reader = try AudioFileReader(path: file)
      var count = 0
      let error = try audioError {
        while case let next = try reader.read(1600), !next.isEmpty { count += next.count }
      }
      switch error {
      case .truncated, .decodingFailed: break
      default: Issue.record("cut to \(length) bytes: \(String(describing: error))")
      }
      #expect(Double(count) > 0.8 * 239_760 * Double(length) / Double(whole.count))
      #expect(try audioError { _ = try reader.read(1) } == error)
    }
  }

  @Test(arguments: [SF_FORMAT_WAV, SF_FORMAT_AIFF, SF_FORMAT_CAF, SF_FORMAT_AU])
  func samplesMustBeFinite(container: Int) throws {
    for value in [Float.nan, .infinity, -.infinity] {
      var samples = signal
      samples[20_000] = value
      let file = try folder.encode("a", container | SF_FORMAT_FLOAT, rate: 8000, samples)
      let error = try #require(try audioError { _ = try readAll(file) })
      let text = "\(value)"
      #expect(error == .invalidSample(file: file, sample: 20_000, seconds: 2.5, value: text))
      #expect(error.description.contains("\(text) at sample 20000 (2.500 s)"))
    }
  }

  @Test func rateAndChannelsOfADamagedHeader() throws {
    for rate in [0, 999, 1_000_000, 0x7FFF_FFFF] {
      let file = try folder.write("a.wav", WAVFixture(rate: rate, data: pcm16(signal)).bytes)
      #expect(try openError(file) == .unsupportedRate(file: file, rate: rate))
    }
    let wide = WAVFixture(channels: 5000, data: pcm16(signal)).bytes
    let file = try folder.write("b.wav", wide)
    #expect(try openError(file) == .unsupportedChannelCount(file: file, channels: 5000))
  }

  @Test func messagesAreOneLineWithoutControlCharacters() {
    let name = "a\nb\u{1B}[31m\u{7F}.wav"
    let errors: [AudioError] = [
      .fileNotFound(file: name), .isFolder(file: name), .permissionDenied(file: name),
      .readFailed(file: name, reason: name), .emptyFile(file: name), .noSamples(file: name),
      .notAudio(file: name, reason: name), .malformedHeader(file: name, problem: name),
      .unsupportedEncoding(file: name, found: name), .unsupportedRate(file: name, rate: 0),
      .unsupportedChannelCount(file: name, channels: 0),
      .noSuchChannel(file: name, channel: 3, channels: 1),
      .truncated(file: name, expected: 2, found: 1, unit: .frames),
      .decodingFailed(file: name, seconds: .nan, reason: name),
      .invalidSample(file: name, sample: 1, seconds: 1.0625, value: "nan"),
      .tooShort(file: name, samples: 1, sampleRate: 16_000),
      .spoolFailed(file: name, folder: name, reason: name), .noAudioFiles(folder: name),
    ]
    for error in errors {
      let text = error.description
      #expect(text.hasPrefix(#"'a\nb\u{1B}[31m\u{7F}.wav': "#), "\(text)")
      #expect(text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }, "\(text)")
    }
  }
}
