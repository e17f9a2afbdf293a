/// A WAV that `AudioByteStream` decodes: a file and a pipe with the same bytes give the same
/// samples, and lengths that were never filled in are understood, which libsndfile's are not.
final class WAVSource: BlockSource {
  private static let blockSize = 65_536

  let duration: Double?
  private let file: FileDescriptor
  private let stream: AudioByteStream
  private var offset = 0
  private var isFinished = false

  /// - Parameter size: bytes of the file.
  init(
    _ file: FileDescriptor, size: Int, header: WAVHeader, format: SampleFormat,
    channel: ChannelSelection, sampleRate: Int
  ) throws(AudioError) {
    try channel.check(channels: header.channels, name: file.name)
    try Resampler.check(rate: header.sampleRate, name: file.name)
    self.file = file
    stream = try AudioByteStream(channel: channel, outputRate: sampleRate, name: file.name)
    let bytes = header.dataLength ?? size - header.dataOffset
    let frames = bytes / (format.bytesPerSample * header.channels)
    duration = Double(frames) / Double(header.sampleRate)
  }

  func nextBlock() throws(AudioError) -> [Float]? {
    if isFinished { return nil }
    let bytes = stream.isComplete ? [] : try file.read(Self.blockSize, at: offset)
    offset += bytes.count
    if bytes.isEmpty {
      isFinished = true
      return try stream.finish()
    }
    return try stream.accept(bytes)
  }

  /// Reads the header without its uninteresting chunks; nil for a file that is no WAV.
  static func header(of file: FileDescriptor) throws(AudioError) -> WAVHeader? {
    guard WAVHeaderParser.recognizes(try file.read(12, at: 0)) == true else { return nil }
    var parser = WAVHeaderParser(name: file.name)
    while parser.header == nil {
      parser.skip(parser.bytesToSkip)
      let bytes = try file.read(parser.bytesNeeded, at: parser.position)
      guard !bytes.isEmpty else {
        throw .malformedHeader(file: file.name, problem: "the file ends before the first sample")
      }
      _ = try bytes.withRawBytes { (buffer) throws(AudioError) in try parser.feed(buffer) }
    }
    return parser.header
  }
}
