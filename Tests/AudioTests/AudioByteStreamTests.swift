import Audio
import Testing

@Suite struct AudioByteStreamTests {
  let signal = noise(3000, seed: 3)

  @Test(arguments: PCMEncoding.allCases)
  func rawSamplesOfAnyEncoding(encoding: PCMEncoding) throws {
    var generator = SplitMix64(state: 9)
    let count = 500 * encoding.bytesPerSample
    var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    if encoding == .f32le { bytes = signal.flatMap { littleEndian($0.bitPattern) } }
    let stream = try AudioByteStream(encoding: encoding)
    #expect(try decodeAll(stream, bytes) == encoding.decode(bytes))
  }

  @Test func channelsAreMixedOrChosen() throws {
    let bytes = pcm16([0.5, -0.25, 0.25, 0.75])
    let decode = { (channel: ChannelSelection) in
      try decodeAll(AudioByteStream(channels: 2, channel: channel), bytes)
    }
    #expect(try decode(.downmix) == [0.125, 0.5])
    #expect(try decode(.channel(1)) == [0.5, 0.25])
    #expect(try decode(.channel(2)) == [-0.25, 0.75])
    for absent in [0, 3, -1] {
      let error = AudioError.noSuchChannel(file: "standard input", channel: absent, channels: 2)
      #expect(throws: error) { try decode(.channel(absent)) }
    }
  }

  @Test func aHalfSampleAtTheEndIsDropped() throws {
    #expect(try decodeAll(AudioByteStream(), pcm16([0.5]) + [1]) == [0.5])
    #expect(try decodeAll(AudioByteStream(channels: 2), pcm16([0.5, 0.5, 0.1]) + [1]) == [0.5])
    #expect(try decodeAll(AudioByteStream(), []) == [])
    #expect(try decodeAll(AudioByteStream(), [1]) == [])
  }

  @Test func rawSamplesThatBeginLikeAWAV() throws {
    for text in ["R", "RIFF", "RIFFxxxxWAV", "RIFFxxxxAVI ", "RIFX", "RIFFxxxxWAVe and on"] {
      let bytes = Array(text.utf8)
      #expect(try decodeAll(AudioByteStream(), bytes) == PCMEncoding.s16le.decode(bytes))
    }
  }

  @Test func everySplitGivesTheSameSamples() throws {
    let stereo = WAVFixture(
      tag: 3, channels: 2, rate: 44_100, bits: 32,
      data: signal.flatMap { littleEndian($0.bitPattern) },
      before: WAVFixture.chunk("JUNK", [1, 2, 3]),
      after: WAVFixture.chunk("LIST", signal.map { _ in 9 })
    ).bytes
    let unfinished = WAVFixture(bits: 24, data: stereo, statedLength: 0, extensible: true).bytes
    let raw = pcm16(signal)
    var generator = SplitMix64(state: 21)
    for bytes in [stereo, unfinished, raw] {
      let make = { try AudioByteStream(sampleRate: 8000, channels: 3, channel: .channel(1)) }
      let whole = try decodeAll(make(), bytes)
      #expect(!whole.isEmpty)
      let single = Array(repeating: 1, count: bytes.count)
      #expect(try decodeAll(make(), bytes, pieces: single) == whole)
      for limit in [2, 7, 50, 3000] {
        let pieces = (0..<bytes.count).map { _ in Int.random(in: 0...limit, using: &generator) }
        #expect(try decodeAll(make(), bytes, pieces: pieces) == whole)
      }
    }
  }

  @Test func theWAVsOwnFormatIsUsed() throws {
    let data = pcm16(signal)
    let wav = WAVFixture(channels: 2, rate: 8000, data: data).bytes
    let heard = try decodeAll(AudioByteStream(encoding: .alaw, sampleRate: 48_000), wav)
    let expected = try decodeAll(AudioByteStream(sampleRate: 8000, channels: 2), data)
    #expect(heard == expected)
    #expect(heard.count == 3000)
  }

  @Test(arguments: ["RIFF", "RF64", "BW64"], [false, true])
  func magics(magic: String, extensible: Bool) throws {
    var wav = WAVFixture(magic: magic, data: pcm16(signal), extensible: extensible)
    #expect(try decodeAll(AudioByteStream(), wav.bytes).count == signal.count)
    guard magic != "RIFF" else { return }
    wav.statedLength = .max
    let sizes = littleEndian(UInt64(0)) + littleEndian(UInt64(6000)) + littleEndian(UInt64(3000))
    wav.before = WAVFixture.chunk("ds64", sizes + littleEndian(UInt32(0)))
    wav.after = WAVFixture.chunk("LIST", [1, 2, 3, 4])
    #expect(try decodeAll(AudioByteStream(), wav.bytes).count == signal.count)
    wav.data.removeLast(2)
    wav.after = []
    let truncated = AudioError.truncated(
      file: "standard input", expected: 6000, found: 5998, unit: .bytes)
    #expect(throws: truncated) { try decodeAll(AudioByteStream(), wav.bytes) }
  }

  @Test(arguments: [0, .max, 0x7FFF_FFFF, 0x7FFF_F000, 0x8000_0000, 0xFFFF_FFDB] as [UInt32])
  func unknownLengthsLastUntilThePipeEnds(length: UInt32) throws {
    let wav = WAVFixture(data: pcm16(signal), statedLength: length).bytes
    #expect(try decodeAll(AudioByteStream(), wav).count == signal.count)
    #expect(try decodeAll(AudioByteStream(), wav + [7]).count == signal.count)
  }

  @Test func anEmptyWAVsNotesAreNotHeard() throws {
    let wav = WAVFixture(after: WAVFixture.chunk("LIST", Array(repeating: 5, count: 2000))).bytes
    #expect(try decodeAll(AudioByteStream(), wav) == [])
    #expect(try decodeAll(AudioByteStream(), WAVFixture().bytes) == [])
  }

  @Test func whatFollowsTheStatedDataIsNotHeard() throws {
    let wav = WAVFixture(data: pcm16(signal), after: WAVFixture.chunk("LIST", pcm16(signal))).bytes
    let stream = try AudioByteStream()
    #expect(try stream.accept(wav).count == signal.count)
    #expect(stream.isComplete)
    #expect(try stream.accept(wav) == [])
    #expect(try stream.finish() == [])
    #expect(stream.seconds == 3000.0 / 16_000)
  }

  @Test func truncationIsToldAfterWhatWasThere() throws {
    let wav = WAVFixture(data: pcm16(signal), statedLength: 10_000).bytes
    let stream = try AudioByteStream(name: "pipe")
    #expect(try stream.accept(wav).count == signal.count)
    let truncated = AudioError.truncated(file: "pipe", expected: 10_000, found: 6000, unit: .bytes)
    #expect(throws: truncated) { try stream.finish() }
  }

  @Test func headersThatCannotBeDecoded() throws {
    let error = { (bytes: [UInt8]) in
      try audioError { _ = try decodeAll(AudioByteStream(), bytes) }
    }
    let adpcm = try #require(try error(WAVFixture(tag: 0x11, bits: 4, data: [1]).bytes))
    #expect(adpcm.description.contains("WAV format 0x0011 (IMA ADPCM), 4 bits"))
    let rate = AudioError.unsupportedRate(file: "standard input", rate: 0)
    #expect(try error(WAVFixture(rate: 0, data: [1]).bytes) == rate)
    let whole = WAVFixture(data: [1, 2]).bytes
    for length in 12..<44 {
      guard case .malformedHeader = try error(Array(whole.prefix(length))) else {
        Issue.record("a header of \(length) bytes was accepted")
        continue
      }
    }
    guard case .malformedHeader = try error(WAVFixture(channels: 0, data: [1]).bytes) else {
      Issue.record("0 channels were accepted")
      return
    }
    let noFormat = Array("RIFF____WAVE".utf8) + WAVFixture.chunk("data", [1, 2])
    #expect(try error(noFormat)?.description.contains("no 'fmt ' chunk") == true)
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity, 3e38])
  func samplesMustBeFinite(value: Float) throws {
    var samples = signal
    samples[1600] = value
    let bytes = samples.flatMap { littleEndian($0.bitPattern) }
    let error = AudioError.invalidSample(
      file: "standard input", sample: 1600, seconds: 0.1, value: "\(value)")
    #expect(throws: error) {
      try decodeAll(AudioByteStream(encoding: .f32le), bytes, pieces: [100, 5001])
    }
    // A channel that is not heard does no harm.
    let stereo = try AudioByteStream(encoding: .f32le, channels: 2, channel: .channel(2))
    #expect(try decodeAll(stereo, bytes).count == 1500)
  }

  @Test func declaredFormatsMustExist() {
    #expect(throws: AudioError.self) { try AudioByteStream(sampleRate: 0) }
    #expect(throws: AudioError.self) { try AudioByteStream(outputRate: 1) }
    #expect(throws: AudioError.self) { try AudioByteStream(channels: 0) }
    #expect(throws: AudioError.self) { try AudioByteStream(channels: 2000) }
  }

  @Test func containersAreNamed() throws {
    let name = { (file: String) in
      let prefix = try bytes(of: sample(file)).prefix(AudioByteStream.containerPrefixLength)
      return AudioByteStream.containerName(of: Array(prefix))
    }
    #expect(try name("landscape.flac") == "FLAC")
    #expect(try name("chapter.opus") == "Ogg")
    #expect(try name("dreamland.mp3") == "MP3")
    #expect(try name("telephone-8khz.wav") == nil)
    #expect(AudioByteStream.containerName(of: [0xFF, 0xFB, 0x90, 0x64]) == "MP3")
    #expect(AudioByteStream.containerName(of: []) == nil)
    // Samples that begin like an MP3's frame but do not go on like one.
    let raw: [UInt8] = [0xFF, 0xFB, 0x90, 0x64] + Array(repeating: 3, count: 4000)
    #expect(AudioByteStream.containerName(of: raw) == nil)
  }
}
