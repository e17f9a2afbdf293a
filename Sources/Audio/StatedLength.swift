/// Formats whose header states a length that libsndfile quietly corrects when the file was cut.
enum StatedLength {
  /// Throws `truncated` for an AIFF or AU file (of `size` bytes) that is shorter than it says.
  static func check(_ file: FileDescriptor, size: Int) throws(AudioError) {
    let head = try file.read(12, at: 0)
    guard head.count == 12 else { return }
    let stated: UInt32
    let start: Int
    switch String(decoding: head.prefix(4), as: UTF8.self) {
    case "FORM":
      stated = head.bigEndian(4, UInt32.self)
      start = 8
    case ".snd":
      stated = head.bigEndian(8, UInt32.self)
      start = Int(head.bigEndian(4, UInt32.self))
    default:
      return
    }
    // Written to a pipe: 0, 0xFFFFFFFF, or near 2^31, as in a WAV; sox leaves 0x7F000008 in AIFF.
    guard stated > 0, stated < 0x7F00_0000 else { return }
    let expected = Int(stated)
    let found = max(0, size - start)
    // The byte that pads an odd chunk is often missing at the end.
    if found + 1 < expected {
      throw .truncated(file: file.name, expected: expected, found: found, unit: .bytes)
    }
  }
}
