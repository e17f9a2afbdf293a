/// Formats whose header states a length that libsndfile quietly corrects when the file was cut.
enum StatedLength {
  /// Throws `truncated` for an AIFF, AU or W64 file (of `size` bytes) that is shorter than it says.
  static func check(_ file: FileDescriptor, size: Int) throws(AudioError) {
    let head = try file.read(24, at: 0)
    guard head.count == 24, let (expected, start) = stated(head) else { return }
    let found = max(0, size - start)
    // The byte that pads an odd chunk is often missing at the end.
    if found + 1 < expected {
      throw .truncated(file: file.name, expected: expected, found: found, unit: .bytes)
    }
  }

  /// The bytes that there must be from `start` on; nil for other formats and unknown lengths.
  private static func stated(_ head: [UInt8]) -> (length: Int, start: Int)? {
    switch String(decoding: head.prefix(4), as: UTF8.self) {
    case "FORM": known(head.bigEndian(4, UInt32.self), start: 8)
    case ".snd": known(head.bigEndian(8, UInt32.self), start: head.bigEndian(4, UInt32.self))
    // After the 16 bytes that W64 spells "riff" with comes the size of the whole file.
    case "riff": known(head.littleEndian(16, UInt64.self), start: 0)
    default: nil
    }
  }

  /// Written to a pipe, a length is 0, all ones, or near 2^31; sox leaves 0x7F000008 in AIFF.
  private static func known<T: UnsignedInteger>(
    _ length: T, start: UInt32
  ) -> (length: Int, start: Int)? {
    let isUnknown = (0x7F00_0000...0x8000_FFFF).contains(length) || length >= 0xFFFF_0000
    return length == 0 || isUnknown ? nil : (Int(length), Int(start))
  }
}
