import Audio
import NIOCore
import Recognizer
import Wire

/// Writes what a session says while `read` hands it audio; returns when both are done.
///
/// An error of either side cancels the session and is thrown.
func converse(
  _ session: Session, _ connection: Connection,
  write: @escaping @Sendable ([RecognitionResult]) async throws -> Void,
  read: () async throws -> Void
) async throws {
  defer { session.cancel() }
  // A client that sends nothing more, such as one that has sent a file, is missed by nobody else.
  connection.whenClosed { [weak session] in session?.cancel() }
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask {
      do {
        for await results in session.results {
          try await connection.writing { try await write(results) }
        }
      } catch {
        // A client that cannot be written to will not be listened to either.
        session.cancel()
        connection.drop()
        throw connection.reason ?? error
      }
    }
    do {
      try await read()
      try connection.checkInput()
      session.finish()
    } catch {
      // What was accepted before a fault is still heard and answered.
      if error.isFault, session.seconds > 0 { session.finish() } else { session.cancel() }
      try await group.waitForAll()
      throw error
    }
    try await group.waitForAll()
  }
}

/// A client's bytes as samples for the model.
struct AudioInput {
  private let stream: AudioByteStream
  /// The first bytes, as long as they do not tell whether they are samples.
  private var prefix: [UInt8]? = []

  /// - Throws: for a rate or a number of channels that cannot be.
  init(
    encoding: PCMEncoding, sampleRate: Int, channels: Int = 1, model: RecognizerModel
  ) throws(WireError) {
    do throws(AudioError) {
      stream = try AudioByteStream(
        encoding: encoding, sampleRate: sampleRate, channels: channels,
        outputRate: model.sampleRate, name: "the audio")
    } catch {
      throw WireError(.invalidValue, "\(error)")
    }
  }

  /// Samples that `bytes` complete. A WAV is decoded by its own header, whatever was declared.
  mutating func samples(_ bytes: [UInt8]) throws(WireError) -> [Float] {
    if let prefix {
      let known = prefix + bytes.prefix(AudioByteStream.containerPrefixLength - prefix.count)
      let isEnough = known.count == AudioByteStream.containerPrefixLength
      if isEnough { try Self.check(known) }
      self.prefix = isEnough ? nil : known
    }
    do throws(AudioError) { return try stream.accept(bytes) } catch {
      throw WireError(.malformed, "\(error)")
    }
  }

  /// The samples that waited for what comes after them.
  func finish() throws(WireError) -> [Float] {
    if let prefix { try Self.check(prefix) }
    do throws(AudioError) { return try stream.finish() } catch {
      throw WireError(.malformed, "\(error)")
    }
  }

  /// - Throws: for the beginning of a file that is no sound without a decoder.
  private static func check(_ prefix: [UInt8]) throws(WireError) {
    guard let name = AudioByteStream.containerName(of: prefix) else { return }
    throw WireError(
      .malformed,
      "the audio: expected samples or WAV, found \(name); decode it before, or send the file over HTTP"
    )
  }
}

/// Lets partial results through no more often than a client wants them.
struct PartialThrottle {
  private let interval: Duration
  private var last: ContinuousClock.Instant?

  /// - Parameter milliseconds: between two partial results of an utterance, at least.
  init(milliseconds: Int) { interval = .milliseconds(milliseconds) }

  mutating func allows(_ result: RecognitionResult) -> Bool {
    guard result.kind == .partial else {
      last = nil
      return true
    }
    if let last, ContinuousClock.now - last < interval { return false }
    last = .now
    return true
  }
}
