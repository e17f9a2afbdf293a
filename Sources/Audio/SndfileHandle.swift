import CSndfile

/// A file that libsndfile has opened, closed with the last reference.
final class SndfileHandle {
  let raw: OpaquePointer
  let info: SF_INFO
  private let input: SndfileInput

  /// - Parameter format: for files without a header, what they hold.
  /// - Returns: nil where libsndfile knows no decoder.
  init?(_ input: SndfileInput, format: SF_INFO = SF_INFO()) {
    var info = format
    guard let raw = input.open(&info) else { return nil }
    self.raw = raw
    self.info = info
    self.input = input
  }

  deinit { sf_close(raw) }

  /// - Throws: `notAudio`
  static func open(_ file: FileDescriptor, size: Int) throws(AudioError) -> SndfileHandle {
    let input = SndfileInput(file, size: size)
    if let handle = SndfileHandle(input) { return handle }
    // The message of the last failure to open in this process; rarely, of another thread's.
    let reason = message(nil)
    if file.name.lowercased().hasSuffix(".gsm") {
      // GSM 6.10 has no header to be known by: 8 kHz mono by its standard.
      var format = SF_INFO()
      format.samplerate = 8000
      format.channels = 1
      format.format = Int32(SF_FORMAT_RAW | SF_FORMAT_GSM610)
      if let handle = SndfileHandle(input, format: format) { return handle }
    }
    throw .notAudio(file: file.name, reason: reason)
  }

  var channels: Int { Int(info.channels) }
  var sampleRate: Int { Int(info.samplerate) }
  var container: Int { Int(info.format) & SF_FORMAT_TYPEMASK }

  /// As the header states or libsndfile estimates; nil when unknown, for which it says
  /// SF_COUNT_MAX.
  var frames: Int? { info.frames > 0 && info.frames < .max ? Int(info.frames) : nil }

  /// Reads whole frames `[frames, channels]`; fewer than fit only at the end or a fault.
  func read(_ block: inout [Float]) -> Int {
    max(0, Int(sf_readf_float(raw, &block, sf_count_t(block.count / channels))))
  }

  /// What went wrong last, nil if nothing did.
  var fault: String? { sf_error(raw) == 0 ? nil : Self.message(raw) }

  private static func message(_ handle: OpaquePointer?) -> String {
    guard let text = sf_strerror(handle) else { return "unknown error" }
    let message = String(cString: text)
    return message.hasSuffix(".") ? String(message.dropLast()) : message
  }
}
