/// Whether an MP3 says how long it is, which its frames do not.
enum MP3Length {
  /// True where the first frame holds the table that encoders write for players ("Xing", "Info" or
  /// "VBRI") with the number of frames.
  static func isStated(in file: FileDescriptor) throws(AudioError) -> Bool {
    let tag = try file.read(10, at: 0)
    var start = 0
    if tag.count == 10, tag.starts(with: "ID3".utf8) {
      // Four times seven bits, without the tag's own header and perhaps a footer.
      start = 10 + tag[6...].reduce(0) { $0 << 7 | Int($1 & 0x7F) }
      if tag[5] & 0x10 != 0 { start += 10 }
    }
    // The table lies within the first frame, 1441 bytes at most; padding may lie before it.
    let frame = try file.read(4096, at: start)
    return ["Xing", "Info", "VBRI"].contains { frame.contains($0.utf8) }
  }
}
