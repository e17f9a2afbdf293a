/// What a RIFF/WAVE (or RF64, BW64) header says about the samples behind it.
struct WAVHeader: Equatable {
  let formatTag: UInt16
  let channels: Int
  /// Hz.
  let sampleRate: Int
  let bitsPerSample: Int
  /// Bytes of one frame as the header states them.
  let blockAlign: Int
  /// Where the first sample lies, bytes from the start.
  let dataOffset: Int
  /// Bytes of samples as stated; nil where the header means "to the end".
  let dataLength: Int?
  /// The stated length is 0: an unfinished header, or really no samples. What follows tells.
  let statesNoData: Bool

  /// How to decode the samples here, nil for the encodings (ADPCM, GSM, …) left to libsndfile.
  var sampleFormat: SampleFormat? {
    switch (formatTag, containerBytes) {
    case (1, 1): .u8
    case (1, 2): .s16le
    case (1, 3): .s24le
    case (1, 4): .s32le
    case (3, 4): .f32le
    case (3, 8): .f64le
    case (6, 1): .alaw
    case (7, 1): .mulaw
    default: nil
    }
  }

  /// Bytes that hold one sample. Twelve bits lie in two bytes; twenty may lie in three or four,
  /// which only the block tells. Some writers state a wrong block, so the bits come first.
  private var containerBytes: Int {
    let least = (bitsPerSample + 7) / 8
    guard channels > 0, blockAlign % channels == 0 else { return least }
    return max(least, blockAlign / channels)
  }

  /// For errors, e.g. `WAV format 0x0011 (IMA ADPCM), 4 bits`.
  var encodingDescription: String {
    let names: [UInt16: String] = [
      1: "PCM", 2: "Microsoft ADPCM", 3: "float", 0x11: "IMA ADPCM", 0x31: "GSM 6.10",
      0x40: "G.721 ADPCM", 0x50: "MPEG", 0x55: "MP3", 0xFF: "AAC",
    ]
    let digits = String(formatTag, radix: 16)
    let hexadecimal = "0x" + String(repeating: "0", count: 4 - digits.count) + digits
    let name = names[formatTag].map { " (\($0))" } ?? ""
    return "WAV format \(hexadecimal)\(name), \(bitsPerSample) bits"
  }

  /// Programs that write to a pipe cannot know the length and leave one that stands for "unknown":
  /// 0xFFFFFFFF (ffmpeg), 0x7FFFF000 (sox), 0x80000000 (arecord), each give or take a header.
  static func isUnknownLength(_ length: UInt32) -> Bool {
    (0x7FFF_0000...0x8000_FFFF).contains(length) || length >= 0xFFFF_0000
  }
}
