extension AudioByteStream {
  /// Bytes of a stream's start that `containerName` wants to see; fewer make it less sure.
  public static let containerPrefixLength = 4096

  /// The name of the container that a stream begins with, where that is neither raw samples nor the
  /// WAV that this class decodes itself; nil for those. Such a stream has to be spooled to a file
  /// (`AudioFileReader.init(spooling:…)`), since its decoder seeks.
  /// - Parameter prefix: the first bytes, best `containerPrefixLength` of them or all there are.
  public static func containerName(of prefix: [UInt8]) -> String? {
    for (offset, magic, name) in magics {
      if prefix.dropFirst(offset).starts(with: magic) { return name }
    }
    return isMP3(prefix) ? "MP3" : nil
  }

  private static let magics: [(offset: Int, bytes: [UInt8], name: String)] = [
    (0, Array("fLaC".utf8), "FLAC"),
    (0, Array("OggS".utf8), "Ogg"),
    (0, Array("ID3".utf8), "MP3"),
    (0, Array("FORM".utf8), "AIFF"),
    (0, Array(".snd".utf8), "AU"),
    (0, Array("caff".utf8), "CAF"),
    (0, Array("RIFX".utf8), "big-endian WAV"),
    (0, Array("riff".utf8) + [0x2E, 0x91, 0xCF, 0x11], "W64"),
    (0, Array("NIST_1A".utf8), "NIST SPHERE"),
    (4, Array("ftyp".utf8), "MP4"),
    (0, [0x1A, 0x45, 0xDF, 0xA3], "Matroska"),
  ]

  /// Raw samples may begin with the two bytes of a frame sync, so the rest of the frame's header
  /// must be valid too, and another must stand where it says, if the prefix reaches that far.
  private static func isMP3(_ prefix: [UInt8]) -> Bool {
    guard let length = mp3FrameLength(prefix[...]) else { return false }
    return prefix.count < length + 4 || mp3FrameLength(prefix[length...]) != nil
  }

  /// Bytes of the MPEG layer III frame that begins here, nil where none does.
  private static func mp3FrameLength(_ bytes: ArraySlice<UInt8>) -> Int? {
    let head = Array(bytes.prefix(4))
    // Sync of 11 bits, a version that exists, layer III.
    guard head.count == 4, head[0] == 0xFF, head[1] & 0xE6 == 0xE2, head[1] & 0x18 != 0x08 else {
      return nil
    }
    let isVersion1 = head[1] & 0x18 == 0x18
    let isVersion25 = head[1] & 0x18 == 0
    let rateIndex = Int(head[2] >> 2 & 3)
    let bitRateIndex = Int(head[2] >> 4)
    guard rateIndex < 3, (1...14).contains(bitRateIndex), head[3] & 3 != 2 else { return nil }
    let rate = [44100, 48000, 32000][rateIndex] / (isVersion1 ? 1 : isVersion25 ? 4 : 2)
    // kbit/s by index, from 1.
    let bitRates =
      isVersion1
      ? [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]
      : [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160]
    let padding = Int(head[2] >> 1 & 1)
    return (isVersion1 ? 144 : 72) * bitRates[bitRateIndex - 1] * 1000 / rate + padding
  }
}
