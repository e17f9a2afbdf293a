import Wire

/// Where a session takes its audio from, in the protocol's `audioFormat`.
public enum ClientAudio: Sendable {
  /// All of it.
  case whole([UInt8])
  /// Blocks of whole samples as they come; nil after the last.
  case stream(@Sendable () async throws -> [UInt8]?)

  /// Seconds that are sent in one message, at most.
  public static let portionSeconds = 0.1

  /// Calls `body` for each portion.
  ///
  /// - Throws: what the stream and `body` throw.
  func forEachPortion(
    of format: ClientAudioFormat, _ body: ([UInt8]) async throws -> Void
  ) async throws {
    let size = Int(Self.portionSeconds * Double(format.sampleRate)) * format.encoding.bytesPerSample
    switch self {
    case .whole(let bytes): try await Self.cut(bytes, size, body)
    case .stream(let next):
      while let block = try await next() { try await Self.cut(block, size, body) }
    }
  }

  private static func cut(
    _ bytes: [UInt8], _ size: Int, _ body: ([UInt8]) async throws -> Void
  ) async throws {
    for start in stride(from: 0, to: bytes.count, by: size) {
      try await body(Array(bytes[start..<min(start + size, bytes.count)]))
    }
  }
}
