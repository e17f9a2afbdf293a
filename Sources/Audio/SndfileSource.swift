import CSndfile
import Glibc

/// Every format but plain WAV, decoded by libsndfile.
final class SndfileSource: BlockSource {
  /// Samples of all channels that are decoded at a time.
  private static let blockSamples = 16_384

  let duration: Double?
  private let file: FileDescriptor
  private let handle: OpaquePointer
  private let info: SF_INFO
  private let pipeline: MonoPipeline
  /// Interleaved `[frames, channels]`.
  private var block: [Float]
  /// Frames of the file decoded.
  private var position = 0
  private var isFinished = false
  private var failure: AudioError?

  init(
    _ file: FileDescriptor, channel: ChannelSelection, sampleRate: Int
  ) throws(AudioError) {
    let (handle, info) = try Self.open(file)
    let frames = Self.promisedFrames(info)
    do throws(AudioError) {
      pipeline = try MonoPipeline(
        name: file.name, inputRate: Int(info.samplerate), channels: Int(info.channels),
        selection: channel, outputRate: sampleRate)
    } catch {
      sf_close(handle)
      throw error
    }
    self.file = file
    self.handle = handle
    self.info = info
    duration = frames.map { Double($0) / Double(info.samplerate) }
    let channels = Int(info.channels)
    block = [Float](repeating: 0, count: max(1, Self.blockSamples / channels) * channels)
  }

  deinit { sf_close(handle) }

  func nextBlock() throws(AudioError) -> [Float]? {
    if let failure { throw failure }
    if isFinished { return nil }
    let channels = Int(info.channels)
    let wanted = block.count / channels
    let got = Int(sf_readf_float(handle, &block, sf_count_t(wanted)))
    position += got
    var output = try block.withUnsafeBufferPointer { (samples) throws(AudioError) in
      try pipeline.accept(UnsafeBufferPointer(rebasing: samples.prefix(got * channels)))
    }
    if got < wanted {
      isFinished = true
      // What came before a fault is given first, the fault with the next call.
      failure = faultAtEnd()
      if failure == nil { output += pipeline.finish() }
    }
    return output
  }

  private func faultAtEnd() -> AudioError? {
    if sf_error(handle) != 0 {
      return .decodingFailed(
        file: file.name, seconds: pipeline.seconds, reason: Self.message(handle))
    }
    // The lengths of MP3 and Ogg are estimates, and they are made to be cut anywhere.
    let container = Int(info.format) & SF_FORMAT_TYPEMASK
    guard container != SF_FORMAT_MPEG, container != SF_FORMAT_OGG,
      let promised = Self.promisedFrames(info), position < promised
    else { return nil }
    return .truncated(file: file.name, expected: promised, found: position, unit: .frames)
  }

  private static func promisedFrames(_ info: SF_INFO) -> Int? {
    // libsndfile says SF_COUNT_MAX for "unknown".
    info.frames > 0 && info.frames < .max && info.samplerate > 0 ? Int(info.frames) : nil
  }

  private static func open(_ file: FileDescriptor) throws(AudioError) -> (OpaquePointer, SF_INFO) {
    var info = SF_INFO()
    if let handle = open(file, &info) { return (handle, info) }
    let reason = message(nil)
    if file.name.lowercased().hasSuffix(".gsm") {
      // GSM 6.10 has no header to be known by: 8 kHz mono by its standard.
      info = SF_INFO()
      info.samplerate = 8000
      info.channels = 1
      info.format = Int32(SF_FORMAT_RAW | SF_FORMAT_GSM610)
      if let handle = open(file, &info) { return (handle, info) }
    }
    throw .notAudio(file: file.name, reason: reason)
  }

  private static func open(_ file: FileDescriptor, _ info: inout SF_INFO) -> OpaquePointer? {
    // libsndfile takes the current place for the file's beginning.
    lseek(file.raw, 0, SEEK_SET)
    guard let handle = sf_open_fd(file.raw, Int32(SFM_READ), &info, 0) else { return nil }
    guard info.channels > 0 else {
      sf_close(handle)
      return nil
    }
    return handle
  }

  /// libsndfile's last message; with nil that of the last failure to open in this process, which
  /// another thread's may have replaced.
  private static func message(_ handle: OpaquePointer?) -> String {
    guard let text = sf_strerror(handle) else { return "unknown error" }
    let message = String(cString: text)
    return message.hasSuffix(".") ? String(message.dropLast()) : message
  }
}
