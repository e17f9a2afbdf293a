import Glibc

/// Reads an audio file of any format that libsndfile knows as mono samples of one rate, block by
/// block, so that memory does not grow with the file. A pipe named by a path (`/dev/stdin`,
/// `<(command)`) is first copied to a temporary file. Not for use from two threads at once.
public final class AudioFileReader {
  /// Less than one analysis window of audio gives no features.
  public static let minimumSeconds = 0.025

  /// The path, or the name given to a spooled stream.
  public let name: String
  /// Hz of the samples given back.
  public let sampleRate: Int
  /// Seconds, nil when not known before the end. An estimate for some mp3 files.
  public var duration: Double? { source.duration }

  private let source: any BlockSource
  /// Samples decoded but not yet read, from `pendingStart` on.
  private var pending: [Float] = []
  private var pendingStart = 0
  private var hasStarted = false
  private var isAtEnd = false
  private var failure: AudioError?

  /// - Parameters:
  ///   - channel: what is heard of the file's channels.
  ///   - sampleRate: Hz of the samples given back.
  /// - Throws: `fileNotFound`, `isFolder`, `permissionDenied`, `readFailed`, `emptyFile`;
  ///   `notAudio`, `malformedHeader`; `noSuchChannel`, `unsupportedRate`; and `truncated` or
  ///   `noSamples` where the header tells.
  public convenience init(
    path: String, channel: ChannelSelection = .downmix, sampleRate: Int = 16_000
  ) throws(AudioError) {
    let file = try FileDescriptor(reading: path)
    switch try file.status().st_mode & S_IFMT {
    case S_IFDIR:
      throw .isFolder(file: path)
    case S_IFREG:
      try self.init(file, channel: channel, sampleRate: sampleRate)
    default:
      let copy = try SpoolFile.copy(file.raw, prefix: [], name: path)
      try self.init(copy, channel: channel, sampleRate: sampleRate)
    }
  }

  /// Copies a pipe to an unnamed temporary file (in `TMPDIR` or /tmp), then reads that. For
  /// containers that `AudioByteStream` cannot decode as they come. Blocks until the pipe ends.
  /// - Parameters:
  ///   - descriptor: read to its end, not closed.
  ///   - prefix: bytes already read from it, to find out what it is.
  ///   - name: what errors call it.
  /// - Throws: `spoolFailed`, and what `init(path:channel:sampleRate:)` throws.
  public convenience init(
    spooling descriptor: Int32, prefix: [UInt8] = [], name: String = "standard input",
    channel: ChannelSelection = .downmix, sampleRate: Int = 16_000
  ) throws(AudioError) {
    let copy = try SpoolFile.copy(descriptor, prefix: prefix, name: name)
    try self.init(copy, channel: channel, sampleRate: sampleRate)
  }

  private init(
    _ file: FileDescriptor, channel: ChannelSelection, sampleRate: Int
  ) throws(AudioError) {
    name = file.name
    self.sampleRate = sampleRate
    let size = Int(try file.status().st_size)
    if size == 0 { throw .emptyFile(file: file.name) }
    try StatedLength.check(file, size: size)
    if let header = try WAVSource.header(of: file) {
      let found = size - header.dataOffset
      if let expected = header.dataLength, expected > found {
        throw .truncated(file: file.name, expected: expected, found: found, unit: .bytes)
      }
      if let format = header.sampleFormat {
        source = try WAVSource(
          file, size: size, header: header, format: format, channel: channel,
          sampleRate: sampleRate)
        return
      }
    }
    source = try SndfileSource(file, size: size, channel: channel, sampleRate: sampleRate)
  }

  /// The next samples: exactly `maximumSamples` of them until the file ends, none after its end.
  /// A fault within the file is thrown after the samples before it have been read.
  /// - Throws: `noSamples` or `tooShort` for a file shorter than `minimumSeconds`, before giving
  ///   any; `invalidSample` for NaN and infinity; `decodingFailed` and `truncated` for a damaged
  ///   file; `readFailed`.
  public func read(_ maximumSamples: Int) throws(AudioError) -> [Float] {
    precondition(maximumSamples > 0, "read(\(maximumSamples)): expected a positive number")
    fill(hasStarted ? maximumSamples : max(maximumSamples, minimumSamples))
    let available = pending.count - pendingStart
    if !hasStarted, failure == nil, available < minimumSamples {
      failure =
        available == 0
        ? .noSamples(file: name)
        : .tooShort(file: name, samples: available, sampleRate: sampleRate)
      pending = []
    }
    hasStarted = true
    if let failure, pendingStart == pending.count { throw failure }
    let end = min(pending.count, pendingStart + maximumSamples)
    defer { pendingStart = end }
    return Array(pending[pendingStart..<end])
  }

  private var minimumSamples: Int { Int((Self.minimumSeconds * Double(sampleRate)).rounded(.up)) }

  /// Decodes until `count` samples are pending or the file or a fault ends it.
  private func fill(_ count: Int) {
    guard pending.count - pendingStart < count, !isAtEnd else { return }
    pending.removeFirst(pendingStart)
    pendingStart = 0
    while pending.count < count, !isAtEnd {
      do throws(AudioError) {
        if let block = try source.nextBlock() { pending += block } else { isAtEnd = true }
      } catch {
        failure = error
        isAtEnd = true
      }
    }
  }
}
