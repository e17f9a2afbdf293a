import Audio
import CSndfile
import Testing

@Suite struct PCMEncodingTests {
  @Test func fullScaleIsOne() {
    #expect(PCMEncoding.s16le.decode([0, 0x80, 0xFF, 0x7F, 1, 0]) == [-1, 32767 / 32768, 0x1p-15])
    #expect(PCMEncoding.s32le.decode([0, 0, 0, 0x80, 0, 0, 0, 0x40]) == [-1, 0.5])
    #expect(PCMEncoding.f32le.decode([0, 0, 0x80, 0x3F, 0, 0, 0, 0xBF]) == [1, -0.5])
  }

  @Test func incompleteSamplesAreLeftOut() {
    for encoding in PCMEncoding.allCases {
      let bytes = [UInt8](repeating: 0, count: 3 * encoding.bytesPerSample - 1)
      #expect(encoding.decode(bytes).count == 2)
    }
  }

  /// The corners that ITU-T G.711's tables print.
  @Test func companding() {
    let scaled = { (codes: [UInt8], encoding: PCMEncoding) in
      encoding.decode(codes).map { Int($0 * 32768) }
    }
    #expect(scaled([0x00, 0x80, 0x7F, 0xFF, 0xFE], .mulaw) == [-32124, 32124, 0, 0, 8])
    #expect(scaled([0x2A, 0xAA, 0x55, 0xD5], .alaw) == [-32256, 32256, -8, 8])
  }

  @Test(arguments: [(PCMEncoding.mulaw, SF_FORMAT_ULAW), (.alaw, SF_FORMAT_ALAW)])
  func compandingIsLibsndfiles(encoding: PCMEncoding, subtype: Int) throws {
    let folder = try TemporaryFolder()
    let codes = (0..<256).map { UInt8($0) }
    let file = try folder.write("codes.raw", codes)
    var info = SF_INFO()
    info.samplerate = 8000
    info.channels = 1
    info.format = Int32(SF_FORMAT_RAW | subtype)
    let handle = try #require(sf_open(file, Int32(SFM_READ), &info))
    defer { sf_close(handle) }
    var reference = [Float](repeating: 0, count: 256)
    #expect(sf_read_float(handle, &reference, 256) == 256)
    #expect(encoding.decode(codes) == reference)
  }
}
