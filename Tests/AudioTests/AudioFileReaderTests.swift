import Audio
import CSndfile
import Foundation
import Testing

@Suite struct AudioFileReaderTests {
  let folder: TemporaryFolder
  /// Two seconds at 16 kHz.
  let signal = sine(440, rate: 16_000, count: 32_000)

  init() throws { folder = try TemporaryFolder() }

  /// Seconds as ffprobe tells them; an mp3 holds its encoder's padding too.
  @Test(arguments: [
    ("landscape.flac", 14.985), ("telephone-8khz.wav", 9.585), ("book-22khz.flac", 8.866),
    ("stereo-48khz.wav", 4.393), ("dreamland.mp3", 4.584), ("switzerland.mp3", 5.94),
    ("chapter.opus", 116.76),
  ])
  func everySample(name: String, seconds: Double) throws {
    let reader = try AudioFileReader(path: sample(name))
    let duration = try #require(reader.duration)
    let samples = try readAll(reader)
    #expect(abs(duration - seconds) < 0.05)
    #expect(abs(Double(samples.count) / 16_000 - seconds) < 0.05)
    #expect(samples.contains { abs($0) > 0.05 })
    #expect(samples.allSatisfy { abs($0) <= 1.5 })
  }

  @Test func everyBlockSizeGivesTheSameSamples() throws {
    let whole = try readAll(sample("book-22khz.flac"), block: 10_000_000)
    for block in [1, 160, 33_333] {
      #expect(try readAll(sample("book-22khz.flac"), block: block) == whole)
    }
    let reader = try AudioFileReader(path: sample("landscape.flac"))
    #expect(try reader.read(1000).count == 1000)
    #expect(try reader.read(100_000).count == 100_000)
  }

  /// Plain WAV is decoded here, so libsndfile can be the reference.
  @Test(arguments: [
    SF_FORMAT_PCM_U8, SF_FORMAT_PCM_16, SF_FORMAT_PCM_24, SF_FORMAT_PCM_32, SF_FORMAT_FLOAT,
    SF_FORMAT_DOUBLE, SF_FORMAT_ULAW, SF_FORMAT_ALAW,
  ])
  func wavEncodingsAreLibsndfiles(encoding: Int) throws {
    for container in [SF_FORMAT_WAV, SF_FORMAT_WAVEX, SF_FORMAT_RF64] {
      let file = try folder.encode("a.wav", container | encoding, rate: 16_000, signal)
      var info = SF_INFO()
      let handle = try #require(sf_open(file, Int32(SFM_READ), &info))
      defer { sf_close(handle) }
      var reference = [Float](repeating: 0, count: signal.count)
      #expect(sf_read_float(handle, &reference, 32_000) == 32_000)
      #expect(try readAll(file) == reference)
      #expect(try decodeAll(AudioByteStream(), bytes(of: file)) == reference)
    }
  }

  @Test(arguments: [
    SF_FORMAT_FLAC | SF_FORMAT_PCM_16, SF_FORMAT_OGG | SF_FORMAT_VORBIS,
    SF_FORMAT_OGG | SF_FORMAT_OPUS, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III,
    SF_FORMAT_AIFF | SF_FORMAT_PCM_24, SF_FORMAT_AU | SF_FORMAT_PCM_16,
    SF_FORMAT_CAF | SF_FORMAT_FLOAT, SF_FORMAT_W64 | SF_FORMAT_PCM_16,
    SF_FORMAT_NIST | SF_FORMAT_PCM_16, SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM,
    SF_FORMAT_WAV | SF_FORMAT_GSM610, SF_FORMAT_AIFF | SF_FORMAT_FLOAT,
  ])
  func formatsOfLibsndfile(format: Int) throws {
    let file = try folder.encode("a.audio", format, rate: 16_000, signal)
    let samples = try readAll(file)
    #expect(abs(samples.count - signal.count) < 3000)
    let energy = samples.reduce(0) { $0 + $1 * $1 } / Float(samples.count)
    #expect(abs(energy - 0.125) < 0.02)
  }

  @Test func gsmWithoutAHeader() throws {
    let format = SF_FORMAT_RAW | SF_FORMAT_GSM610
    let file = try folder.encode("voicemail.gsm", format, rate: 8000, signal)
    #expect(abs(try readAll(file).count - 64_000) < 400)
  }

  @Test func eightChannelsAt192kHz() throws {
    let tone = sine(1000, rate: 192_000, count: 192_000)
    let samples = tone.flatMap { s in (0..<8).map { $0 == 4 ? s : 0 } }
    for format in [SF_FORMAT_WAV | SF_FORMAT_PCM_24, SF_FORMAT_FLAC | SF_FORMAT_PCM_24] {
      let file = try folder.encode("a", format, rate: 192_000, channels: 8, samples)
      let ideal = sine(1000, rate: 16_000, count: 16_000)
      let fifth = try readAll(file, channel: .channel(5))
      #expect(fifth.count == 16_000)
      #expect(maximumDifference(Array(fifth[500..<15_500]), Array(ideal[500..<15_500])) < 1e-4)
      let mean = try readAll(file).map { $0 * 8 }
      #expect(maximumDifference(Array(mean[500..<15_500]), Array(ideal[500..<15_500])) < 1e-4)
      #expect(try readAll(file, channel: .channel(1)).allSatisfy { abs($0) < 1e-6 })
      let absent = AudioError.noSuchChannel(file: file, channel: 9, channels: 8)
      #expect(throws: absent) { try AudioFileReader(path: file, channel: .channel(9)) }
    }
  }

  @Test func otherOutputRates() throws {
    let file = try folder.write("a.wav", WAVFixture(data: pcm16(signal)).bytes)
    #expect(try readAll(file, sampleRate: 8000).count == 16_000)
    #expect(throws: AudioError.unsupportedRate(file: file, rate: 0)) {
      try AudioFileReader(path: file, sampleRate: 0)
    }
  }

  /// The lengths that programs writing to a pipe leave in the header.
  @Test(arguments: [0, .max, 0x7FFF_F000, 0x7FFF_FFFF, 0x8000_0000] as [UInt32])
  func unknownLengthsLastToTheEnd(length: UInt32) throws {
    let wav = WAVFixture(data: pcm16(signal), statedLength: length)
    let reader = try AudioFileReader(path: folder.write("a.wav", wav.bytes))
    #expect(reader.duration == 2)
    #expect(try readAll(reader).count == 32_000)
  }

  @Test func chunksAroundTheDataAreNotHeard() throws {
    let wav = WAVFixture(
      data: pcm16(signal), before: WAVFixture.chunk("JUNK", Array(repeating: 0, count: 100_001)),
      after: WAVFixture.chunk("LIST", pcm16(signal)))
    #expect(try readAll(folder.write("a.wav", wav.bytes)).count == 32_000)
  }

  @Test func aPipeIsSpooled() throws {
    for name in ["landscape.flac", "telephone-8khz.wav"] {
      let expected = try readAll(sample(name))
      for prefix in [0, 4096] {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: sample(name)))
        let read = [UInt8](try file.read(upToCount: prefix) ?? Data())
        let pipe = Pipe()
        let rest = try file.readToEnd() ?? Data()
        Thread.detachNewThread {
          try? pipe.fileHandleForWriting.write(contentsOf: rest)
          try? pipe.fileHandleForWriting.close()
        }
        let descriptor = pipe.fileHandleForReading.fileDescriptor
        let reader = try AudioFileReader(spooling: descriptor, prefix: read, name: "pipe")
        #expect(reader.name == "pipe")
        #expect(try readAll(reader) == expected)
      }
    }
  }

  /// What a shell hands over for `<(command)`.
  @Test func aPathThatIsAPipe() throws {
    let fifo = folder.path + "/fifo"
    try #require(mkfifo(fifo, 0o600) == 0)
    let flac = try bytes(of: sample("landscape.flac"))
    Thread.detachNewThread {
      guard let writer = FileHandle(forWritingAtPath: fifo) else { return }
      try? writer.write(contentsOf: Data(flac))
      try? writer.close()
    }
    #expect(try readAll(fifo) == readAll(sample("landscape.flac")))
  }

  @Test func anMP3WithoutALengthIsReadToItsEnd() throws {
    let mp3 = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III
    // Frames of many bits, then of few: the first tells nothing of the rest.
    let signal = noise(44_100, seed: 5) + [Float](repeating: 0, count: 396_900)
    let file = try folder.encode("a.mp3", mp3, rate: 44_100, signal)
    let whole = try bytes(of: file)
    #expect(abs(try readAll(file).count - 160_000) < 2000)
    // Without its first frame, which holds the table.
    let second = try #require((4..<2000).first { whole[$0] == 0xFF && whole[$0 + 1] == whole[1] })
    let bare = try folder.write("bare.mp3", Array(whole[second...]))
    #expect(abs(try readAll(bare).count - 160_000) < 4000)
    let cut = try folder.write("cut.mp3", Array(whole.prefix(whole.count / 2)))
    #expect(throws: AudioError.self) { try readAll(cut) }
  }
}
