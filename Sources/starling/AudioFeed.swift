import Dispatch
import Synchronization

/// Reads an audio source on a thread of its own, so that those who wait for samples block none.
final class AudioFeed: Sendable {
  private let source: Mutex<AudioSource>
  private let queue = DispatchQueue(label: "audio")

  init(_ source: sending AudioSource) { self.source = Mutex(source) }

  /// The next samples; nil at the end.
  func next() async throws -> [Float]? {
    try await withCheckedThrowingContinuation { continuation in
      queue.async {
        continuation.resume(with: Result { try self.source.withLock { try $0.next() } })
      }
    }
  }
}
