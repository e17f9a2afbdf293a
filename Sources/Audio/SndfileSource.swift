import CSndfile

/// Every format but plain WAV, decoded by libsndfile.
final class SndfileSource: BlockSource {
  /// Samples of all channels that are decoded at a time.
  private static let blockSamples = 16_384
  /// How much less an MP3 may hold than it states: a frame at either end.
  private static let mp3Tolerance = 2 * 1152
  /// More than the 40 by which the bit rates of an MP3's first frame and its others can differ.
  private static let mp3Overstatement = 64

  let duration: Double?
  private let name: String
  private let handle: SndfileHandle
  private let pipeline: MonoPipeline
  /// Frames that there must be; nil where that is not known exactly.
  private let promised: Int?
  /// Interleaved `[frames, channels]`.
  private var block: [Float]
  /// Frames decoded.
  private var position = 0
  private var isFinished = false
  private var failure: AudioError?

  /// - Parameter size: bytes of the file.
  init(
    _ file: FileDescriptor, size: Int, channel: ChannelSelection, sampleRate: Int
  ) throws(AudioError) {
    name = file.name
    let handle = try SndfileHandle.open(file, size: size)
    pipeline = try MonoPipeline(
      name: name, inputRate: handle.sampleRate, channels: handle.channels, selection: channel,
      outputRate: sampleRate)
    duration = handle.frames.map { Double($0) / Double(handle.sampleRate) }
    block = [Float](
      repeating: 0, count: max(1, Self.blockSamples / handle.channels) * handle.channels)
    switch handle.container {
    case SF_FORMAT_OGG:
      // Made to be cut anywhere: no length is stated, libsndfile takes the last page's.
      promised = nil
      self.handle = handle
    case SF_FORMAT_MPEG where try !MP3Length.isStated(in: file):
      // libsndfile estimates the length from the size and the first frame, and stops there, even if
      // there is as much again. Said to be larger, the file is decoded to its end.
      let larger = SndfileInput(file, size: size, overstating: Self.mp3Overstatement)
      promised = nil
      self.handle = SndfileHandle(larger) ?? handle
    case SF_FORMAT_MPEG:
      promised = handle.frames.map { $0 - Self.mp3Tolerance }
      self.handle = handle
    default:
      promised = handle.frames
      self.handle = handle
    }
  }

  func nextBlock() throws(AudioError) -> [Float]? {
    if let failure { throw failure }
    if isFinished { return nil }
    let got = handle.read(&block)
    position += got
    let read = block.prefix(got * handle.channels)
    var output = try read.withUnsafeBufferPointer { (samples) throws(AudioError) in
      try pipeline.accept(samples)
    }
    if got < block.count / handle.channels {
      isFinished = true
      // What came before a fault is given first, the fault with the next call.
      failure = faultAtEnd()
      if failure == nil { output += pipeline.finish() }
    }
    return output
  }

  private func faultAtEnd() -> AudioError? {
    if let fault = handle.fault {
      return .decodingFailed(file: name, seconds: pipeline.seconds, reason: fault)
    }
    guard let promised, position < promised else { return nil }
    return .truncated(file: name, expected: promised, found: position, unit: .frames)
  }
}
