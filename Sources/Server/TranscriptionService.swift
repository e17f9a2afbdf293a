import Audio
import Decoding
import Foundation
import NIOCore
import NIOHTTP1
import Recognizer
import Synchronization
import Wire

/// OpenAI's `POST /v1/audio/transcriptions`: a file in a form, its text in any of their formats, at
/// once or as it comes.
struct TranscriptionService {
  let context: ServerContext
  let connection: Connection

  /// A file that a client has sent, and what it asks for.
  struct Upload {
    let request: TranscriptionRequest
    let reader: AudioFileReader
    let place: SessionPlace
    let options: SessionOptions
  }

  /// Collects the parts of a form as they come.
  struct Collector {
    private let place: SessionPlace
    private let options: SessionOptions
    private var upload: TranscriptionUpload
    private let file = UploadedFile()
    private var request: TranscriptionRequest?

    init(_ head: HTTPRequestHead, _ context: ServerContext) throws {
      try context.authorize(head.bearerToken)
      place = try context.takePlace()
      options = SessionOptions(context.engine.model)
      var limits = TranscriptionUpload.Limits()
      limits.fileBytes = context.limits.fileBytes
      upload = try TranscriptionUpload(
        contentType: head.headers.first(name: "content-type") ?? "", limits: limits)
    }

    mutating func append(_ bytes: [UInt8]) throws {
      upload.append(bytes)
      try take()
    }

    /// The form is whole.
    mutating func finish() throws -> Upload {
      upload.close()
      try take()
      guard let request else { throw WireError(.truncated, "the form ends within a part") }
      do throws(AudioError) {
        return Upload(
          request: request,
          reader: try AudioFileReader(
            spooling: file.rewound(), name: request.fileName ?? "file",
            sampleRate: options.model.sampleRate),
          place: place, options: options)
      } catch {
        throw WireError(.invalidValue, "\(error)", field: "file")
      }
    }

    private mutating func take() throws {
      while let event = try upload.next() {
        switch event {
        case .file(let bytes): try file.write(bytes)
        case .request(let request): self.request = request
        }
      }
    }
  }

  /// Transcribes a file as `starling transcribe` does, behind live streams.
  ///
  /// - Parameter write: takes the results as they come.
  /// - Returns: seconds of audio.
  func transcribe(
    _ upload: Upload,
    write: @escaping @Sendable ([RecognitionResult]) async throws -> Void
  ) async throws -> Double {
    if let seconds = upload.reader.duration, seconds > context.limits.audioSeconds {
      throw SessionError.tooMuchAudio(limit: context.limits.audioSeconds)
    }
    var chosen = upload.options
    if !upload.request.streams { chosen.recognizer.latency = .fullContext }
    chosen.recognizer.wantsPartials = upload.request.streams
    try chosen.listen(
      to: upload.request.keywords.map { HotWord($0) }, field: "keywords")
    let session = try context.open(
      chosen, connection, place: upload.place, isBackground: true)
    try await converse(session, connection, write: write) {
      while true {
        let samples: [Float]
        do throws(AudioError) { samples = try upload.reader.read(16_000) } catch {
          throw WireError(.invalidValue, "\(error)", field: "file")
        }
        if samples.isEmpty { break }
        try await session.accept(samples)
      }
    }
    return session.seconds
  }
}

/// What a client has uploaded, in a temporary file without a name.
final class UploadedFile {
  private let descriptor: Int32

  init() {
    var path = Array((NSTemporaryDirectory() + "/starling-upload-XXXXXX").utf8CString)
    descriptor = mkstemp(&path)
    if descriptor >= 0 { unlink(path) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func write(_ bytes: [UInt8]) throws(WireError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Foundation.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        throw WireError(
          .internalError, "the file cannot be kept: \(String(cString: strerror(errno)))")
      }
      rest = rest.dropFirst(count)
    }
  }

  /// The descriptor, at the start of the file.
  func rewound() -> Int32 {
    lseek(descriptor, 0, SEEK_SET)
    return descriptor
  }
}
