/// Decodes audio that arrives as bytes in pieces of any size, such as standard input or a socket:
/// headerless PCM of a declared format, or a WAV, which is recognised by its first bytes and then
/// decoded by its own header. The samples do not depend on how the bytes were cut into pieces.
/// One stream's state: not for use from two threads at once.
public final class AudioByteStream {
  private enum State {
    /// `held` has the first bytes, too few to tell a WAV from raw samples.
    case detecting
    case header(WAVHeaderParser)
    /// The header states no data; `held` has the bytes after it, too few to tell what they are.
    case unfinishedHeader
    case samples
    /// Past the stated length of a WAV's data.
    case ended
  }

  /// Chunks that follow samples. Behind a stated length of 0 one of these means that there really
  /// are no samples; anything else is the sound of a header that was never completed.
  private static let trailingChunks: Set<String> = [
    "LIST", "INFO", "id3 ", "ID3 ", "bext", "fact", "cue ", "smpl", "inst", "JUNK", "PAD ", "FLLR",
    "PEAK", "afsp", "iXML", "_PMX", "chna", "axml", "acid", "plst",
  ]

  private let declared: (format: SampleFormat, rate: Int, channels: Int)
  private let selection: ChannelSelection
  private let outputRate: Int
  private let name: String
  private var state = State.detecting
  private var isFinished = false
  /// Bytes waiting for more: of a magic, or of an incomplete frame.
  private var held: [UInt8] = []
  private var format = SampleFormat.s16le
  /// Bytes of one frame, all channels.
  private var frameSize = 2
  /// Bytes of samples that a WAV promises and that it has given.
  private var promised: Int?
  private var found = 0
  private var interleaved: [Float] = []
  private var pipeline: MonoPipeline?

  /// - Parameters:
  ///   - encoding: how the samples are written unless the stream is a WAV.
  ///   - sampleRate: Hz of the raw samples unless the stream is a WAV.
  ///   - channels: interleaved channels unless the stream is a WAV.
  ///   - channel: what is heard of them; checked when the first bytes have told the format.
  ///   - outputRate: Hz of the samples given back.
  ///   - name: what errors call the stream.
  /// - Throws: `unsupportedRate` and `unsupportedChannelCount` for a declared format that cannot be.
  public init(
    encoding: PCMEncoding = .s16le, sampleRate: Int = 16_000, channels: Int = 1,
    channel: ChannelSelection = .downmix, outputRate: Int = 16_000, name: String = "standard input"
  ) throws(AudioError) {
    try Resampler.check(rate: sampleRate, name: name)
    try Resampler.check(rate: outputRate, name: name)
    try ChannelSelection.downmix.check(channels: channels, name: name)
    declared = (encoding.sampleFormat, sampleRate, channels)
    selection = channel
    self.outputRate = outputRate
    self.name = name
  }

  /// Seconds of audio decoded so far.
  public var seconds: Double { pipeline?.seconds ?? 0 }

  /// Nothing that may still come would be heard: a WAV has given all that it stated.
  public var isComplete: Bool {
    if case .ended = state { true } else { false }
  }

  /// As `accept(_:)` of raw memory.
  public func accept(_ bytes: [UInt8]) throws(AudioError) -> [Float] {
    try bytes.withRawBytes { (buffer) throws(AudioError) in try accept(buffer) }
  }

  /// Takes the next bytes and returns the mono samples at the output rate that are complete by now.
  /// - Throws: `noSuchChannel`; `invalidSample` for NaN and infinity; `malformedHeader`,
  ///   `unsupportedEncoding`, `unsupportedRate` for a WAV that cannot be decoded. The stream is of
  ///   no use after that.
  public func accept(_ bytes: UnsafeRawBufferPointer) throws(AudioError) -> [Float] {
    precondition(!isFinished, "accept after finish")
    var output: [Float] = []
    var rest = bytes[...]
    while let byte = rest.first {
      switch state {
      case .detecting:
        held.append(byte)
        rest.removeFirst()
        try detect(&output)
      case .header(var parser):
        rest.removeFirst(try parser.feed(UnsafeRawBufferPointer(rebasing: rest)))
        state = .header(parser)
        if let header = parser.header { try begin(header) }
      case .unfinishedHeader:
        held.append(byte)
        rest.removeFirst()
        if held.count == 4 { try resolveUnfinished(&output) }
      case .samples:
        try decode(UnsafeRawBufferPointer(rebasing: rest), &output)
        return output
      case .ended:
        return output
      }
    }
    return output
  }

  /// Ends the stream: the resampler's last samples. Bytes of an incomplete frame are dropped.
  /// - Throws: `truncated` where a WAV promised more than came (all that came has been given by
  ///   `accept`, but for the few milliseconds in the resampler); `malformedHeader` where it ended
  ///   within its header; and what `accept` throws.
  public func finish() throws(AudioError) -> [Float] {
    precondition(!isFinished, "finish called twice")
    isFinished = true
    var output: [Float] = []
    switch state {
    case .detecting:
      try beginRaw(&output)
    case .header:
      throw .malformedHeader(file: name, problem: "it ends before the first sample")
    case .unfinishedHeader:
      try resolveUnfinished(&output)
    case .samples, .ended:
      break
    }
    if let promised, found < promised {
      throw .truncated(file: name, expected: promised, found: found, unit: .bytes)
    }
    return output + (pipeline?.finish() ?? [])
  }

  /// Decides on `held` as soon as it can be decided.
  private func detect(_ output: inout [Float]) throws(AudioError) {
    switch WAVHeaderParser.recognizes(held) {
    case nil:
      break
    case false:
      try beginRaw(&output)
    case true:
      var parser = WAVHeaderParser(name: name)
      _ = try held.withRawBytes { (buffer) throws(AudioError) in try parser.feed(buffer) }
      held = []
      state = .header(parser)
    }
  }

  private func beginRaw(_ output: inout [Float]) throws(AudioError) {
    try begin(declared.format, rate: declared.rate, channels: declared.channels)
    try decodeHeld(&output)
  }

  private func begin(_ header: WAVHeader) throws(AudioError) {
    guard let format = header.sampleFormat else {
      throw .unsupportedEncoding(file: name, found: header.encodingDescription)
    }
    try begin(format, rate: header.sampleRate, channels: header.channels)
    promised = header.dataLength
    if header.statesNoData { state = .unfinishedHeader }
  }

  private func begin(_ format: SampleFormat, rate: Int, channels: Int) throws(AudioError) {
    self.format = format
    frameSize = format.bytesPerSample * channels
    pipeline = try MonoPipeline(
      name: name, inputRate: rate, channels: channels, selection: selection, outputRate: outputRate)
    state = .samples
  }

  private func resolveUnfinished(_ output: inout [Float]) throws(AudioError) {
    if Self.trailingChunks.contains(String(decoding: held, as: UTF8.self)) {
      held = []
      state = .ended
    } else {
      state = .samples
      try decodeHeld(&output)
    }
  }

  /// Decodes the bytes that were held back to find out what they are.
  private func decodeHeld(_ output: inout [Float]) throws(AudioError) {
    let bytes = held
    held = []
    try bytes.withRawBytes { (buffer) throws(AudioError) in try decode(buffer, &output) }
  }

  /// Bytes of samples, cut anywhere -> mono samples, appended.
  private func decode(
    _ bytes: UnsafeRawBufferPointer, _ output: inout [Float]
  ) throws(AudioError) {
    var rest = bytes[...]
    if let promised {
      rest = rest.prefix(promised - found)
      if found + rest.count == promised { state = .ended }
    }
    found += rest.count
    if !held.isEmpty {
      let missing = min(frameSize - held.count, rest.count)
      held.append(contentsOf: rest.prefix(missing))
      rest = rest.dropFirst(missing)
      guard held.count == frameSize else { return }
      output += try held.withRawBytes { (frame) throws(AudioError) in try decodeFrames(frame) }
      held.removeAll(keepingCapacity: true)
    }
    let whole = rest.count / frameSize * frameSize
    held.append(contentsOf: rest.dropFirst(whole))
    output += try decodeFrames(UnsafeRawBufferPointer(rebasing: rest.prefix(whole)))
  }

  /// Whole frames `[frames, channels]` as bytes -> mono samples at the output rate.
  private func decodeFrames(_ bytes: UnsafeRawBufferPointer) throws(AudioError) -> [Float] {
    guard let pipeline, !bytes.isEmpty else { return [] }
    interleaved.removeAll(keepingCapacity: true)
    format.decode(bytes, appendingTo: &interleaved)
    return try interleaved.withUnsafeBufferPointer { (samples) throws(AudioError) in
      try pipeline.accept(samples)
    }
  }
}
