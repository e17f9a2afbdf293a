import Audio
import Foundation

/// Where a command takes samples from, piece by piece.
enum AudioSource {
  case file(AudioFileReader)
  case bytes(StandardInput, AudioByteStream)
  /// As it comes, be it nothing at all.
  case live(StandardInput, AudioByteStream)

  /// Samples asked for at a time: a second.
  private static let portion = 16_000

  /// Opens a file, or standard input for `-`.
  ///
  /// - Throws: `AudioError`, or `UndeclaredInput` for headerless input that nobody has described.
  init(path: String, raw: RawAudioArguments, sampleRate: Int) throws {
    guard path == "-" else {
      self = .file(
        try AudioFileReader(path: path, channel: raw.selection, sampleRate: sampleRate))
      return
    }
    let input = StandardInput()
    if !raw.isDeclared, try input.containerName() != nil {
      self = .file(
        try AudioFileReader(
          spooling: STDIN_FILENO, prefix: input.takeBuffered(), channel: raw.selection,
          sampleRate: sampleRate))
      return
    }
    let prefix = try input.peek(12)
    guard raw.isDeclared || StandardInput.isWAV(prefix) else {
      throw prefix.isEmpty
        ? AudioError.emptyFile(file: "standard input") : UndeclaredInput()
    }
    self = .bytes(input, try raw.makeByteStream(outputRate: sampleRate))
  }

  /// Standard input as it comes: a WAV, or headerless PCM.
  ///
  /// - Throws: `UnstreamableInput`, or an error of reading.
  init(live raw: RawAudioArguments, sampleRate: Int) throws {
    let input = StandardInput()
    if !raw.isDeclared, let name = try input.containerName() {
      throw UnstreamableInput(container: name)
    }
    self = .live(input, try raw.makeByteStream(outputRate: sampleRate))
  }

  /// Seconds of audio in all, where known.
  var duration: Double? {
    switch self {
    case .file(let reader): reader.duration
    case .bytes, .live: nil
    }
  }

  /// The next samples; nil at the end.
  func next() throws -> [Float]? {
    switch self {
    case .file(let reader):
      let samples = try reader.read(Self.portion)
      return samples.isEmpty ? nil : samples
    case .bytes(let input, let stream), .live(let input, let stream):
      if input.hasEnded { return nil }
      let bytes = try input.read()
      guard bytes.isEmpty else { return try stream.accept(bytes) }
      let rest = try stream.finish()
      if case .bytes = self { try Self.checkLength(stream.seconds) }
      return rest
    }
  }

  /// Holds a stream to what `AudioFileReader` asks of a file.
  private static func checkLength(_ seconds: Double) throws(AudioError) {
    let name = "standard input"
    guard seconds > 0 else { throw .noSamples(file: name) }
    guard seconds >= AudioFileReader.minimumSeconds else {
      let milliseconds = Int(seconds * 1000)
      throw .tooShort(file: name, samples: milliseconds, sampleRate: 1000)
    }
  }
}

/// Headerless audio whose encoding has not been said.
struct UndeclaredInput: Error, CustomStringConvertible {
  let description =
    "'standard input': expected an audio file, found bytes of no known format; for headerless "
    + "audio say --encoding and --sample-rate"
}

/// A file format that cannot be decoded as it comes.
private struct UnstreamableInput: Error, CustomStringConvertible {
  let container: String
  var description: String {
    "'standard input': expected WAV or headerless PCM, found \(container); use 'starling "
      + "transcribe -' for a whole file, or decode it first: ffmpeg -i … -f wav -"
  }
}
