/// What can be wrong with audio that a user gave. Every description is one line that names the
/// file (or the stream), what was expected, what was found, and what to do about it.
public enum AudioError: Error, Equatable, Sendable {
  /// How a `truncated` length is counted: bytes of a WAV's data, or frames (one sample of every
  /// channel) of a compressed file.
  public enum LengthUnit: String, Equatable, Sendable {
    case bytes, frames
  }

  case fileNotFound(file: String)
  case isFolder(file: String)
  case permissionDenied(file: String)
  /// The operating system refused to open or read; `reason` is its own message.
  case readFailed(file: String, reason: String)
  /// The file holds 0 bytes.
  case emptyFile(file: String)
  /// A well-formed header with no audio behind it.
  case noSamples(file: String)
  /// No decoder knows the bytes; `reason` is the decoder's message.
  case notAudio(file: String, reason: String)
  case malformedHeader(file: String, problem: String)
  case unsupportedEncoding(file: String, found: String)
  /// `rate` in Hz.
  case unsupportedRate(file: String, rate: Int)
  case unsupportedChannelCount(file: String, channels: Int)
  /// `channel` counts from 1, as users do.
  case noSuchChannel(file: String, channel: Int, channels: Int)
  case truncated(file: String, expected: Int, found: Int, unit: LengthUnit)
  case decodingFailed(file: String, seconds: Double, reason: String)
  /// A NaN, an infinity, or a number far outside any scale of audio. `sample` counts frames from 0
  /// at the file's own rate.
  case invalidSample(file: String, sample: Int, seconds: Double, value: String)
  /// `samples` at `sampleRate`, less than one analysis window.
  case tooShort(file: String, samples: Int, sampleRate: Int)
  /// Standard input could not be copied to a temporary file in `folder`.
  case spoolFailed(file: String, folder: String, reason: String)
  case noAudioFiles(folder: String)
}

extension AudioError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .fileNotFound, .isFolder, .permissionDenied, .readFailed, .spoolFailed, .noAudioFiles:
      return accessDescription
    case .emptyFile, .noSamples, .truncated, .decodingFailed, .invalidSample, .tooShort:
      return contentDescription
    case .notAudio, .malformedHeader, .unsupportedEncoding, .unsupportedRate,
      .unsupportedChannelCount, .noSuchChannel:
      return formatDescription
    }
  }

  private var accessDescription: String {
    switch self {
    case .fileNotFound(let file):
      return "\(quoted(file)): no such file; check the path"
    case .isFolder(let file):
      return "\(quoted(file)): expected an audio file, found a folder; name a file in it"
    case .permissionDenied(let file):
      return "\(quoted(file)): no permission to read it; change its mode or run as its owner"
    case .readFailed(let file, let reason):
      return "\(quoted(file)): cannot be read: \(oneLine(reason)); check the disk and the path"
    case .spoolFailed(let file, let folder, let reason):
      return "\(quoted(file)): cannot be copied to a temporary file in \(quoted(folder)): "
        + "\(oneLine(reason)); free some space there or point TMPDIR to another folder"
    case .noAudioFiles(let folder):
      return "\(quoted(folder)): expected audio files in this folder, found none with a known "
        + "extension (wav, flac, ogg, opus, mp3, …); name the files themselves"
    default: preconditionFailure("not an access error")
    }
  }

  private var contentDescription: String {
    switch self {
    case .emptyFile(let file):
      return "\(quoted(file)): expected audio, found 0 bytes; record or copy it again"
    case .noSamples(let file):
      return "\(quoted(file)): expected audio, found a header without any samples; "
        + "record or copy it again"
    case .truncated(let file, let expected, let found, let unit):
      return "\(quoted(file)): truncated: its header promises \(expected) \(unit.rawValue) of "
        + "audio, found \(found); copy it again, or repair its header to use what is there"
    case .decodingFailed(let file, let seconds, let reason):
      return "\(quoted(file)): damaged at \(formatSeconds(seconds)): \(oneLine(reason)); "
        + "copy it again or cut the damaged part out"
    case .invalidSample(let file, let sample, let seconds, let value):
      return "\(quoted(file)): expected finite samples around ±1, found \(value) at sample "
        + "\(sample) (\(formatSeconds(seconds))); check the program that wrote it"
    case .tooShort(let file, let samples, let sampleRate):
      let length = formatSeconds(Double(samples) / Double(max(sampleRate, 1)))
      return "\(quoted(file)): too short: expected at least 0.025 s of audio (one analysis "
        + "window), found \(length); give a longer recording"
    default: preconditionFailure("not a content error")
    }
  }

  private var formatDescription: String {
    switch self {
    case .notAudio(let file, let reason):
      return "\(quoted(file)): not a known audio format (\(oneLine(reason))); expected wav, flac, "
        + "ogg, opus, mp3, aiff, au or another format of libsndfile; convert it first"
    case .malformedHeader(let file, let problem):
      return "\(quoted(file)): malformed WAV header: \(oneLine(problem)); write the file again"
    case .unsupportedEncoding(let file, let found):
      return "\(quoted(file)): expected PCM, float, mu-law or a-law samples, found "
        + "\(oneLine(found)); convert it to 16-bit PCM first"
    case .unsupportedRate(let file, let rate):
      let range = Resampler.supportedRates
      return "\(quoted(file)): expected a sample rate of \(range.lowerBound) to "
        + "\(range.upperBound) Hz, found \(rate) Hz; check the header or the declared rate"
    case .unsupportedChannelCount(let file, let channels):
      return "\(quoted(file)): expected 1 to \(ChannelSelection.maximumChannels) channels, found "
        + "\(channels); check the header or the declared number of channels"
    case .noSuchChannel(let file, let channel, let channels):
      let has = channels == 1 ? "1 channel" : "\(channels) channels"
      return "\(quoted(file)): channel \(channel) was asked for, but the audio has \(has); "
        + "choose one of 1 to \(channels), or the mean of all"
    default: preconditionFailure("not a format error")
    }
  }
}

/// A file name may hold any byte but a message must stay one line and leave the terminal alone.
private func quoted(_ name: String) -> String {
  "'" + oneLine(name) + "'"
}

private func oneLine(_ text: String) -> String {
  var line = ""
  for scalar in text.unicodeScalars {
    if scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) {
      line += scalar.escaped(asASCII: true)
    } else {
      line.unicodeScalars.append(scalar)
    }
  }
  return line
}

/// Milliseconds are enough to find a place by ear, and need no Foundation.
private func formatSeconds(_ seconds: Double) -> String {
  guard seconds.isFinite, abs(seconds) < 1e12 else { return "\(seconds) s" }
  let milliseconds = Int((seconds * 1000).rounded())
  let fraction = String(milliseconds % 1000)
  return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction) s"
}
