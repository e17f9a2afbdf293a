import Recognizer
import Synchronization

/// Results on their way from the decoding threads to the one task that reads them.
final class ResultMailbox: AsyncSequence, Sendable {
  private struct State {
    var results: [RecognitionResult] = []
    var isEnd = false
    var reader: CheckedContinuation<[RecognitionResult]?, Never>?
    /// The sender of audio, who waits until results are read.
    var sender: CheckedContinuation<Void, Never>?

    mutating func takeSender() -> CheckedContinuation<Void, Never>? {
      defer { sender = nil }
      return sender
    }
  }

  private let state = Mutex(State())

  func put(_ results: [RecognitionResult], isEnd: Bool) {
    let wake = state.withLock { state -> (() -> Void)? in
      guard !state.isEnd else { return nil }
      state.results += results
      state.isEnd = isEnd
      guard let reader = state.reader, !state.results.isEmpty || isEnd else { return nil }
      let batch = state.results
      state.reader = nil
      state.results = []
      return { reader.resume(returning: batch.isEmpty ? nil : batch) }
    }
    wake?()
    if isEnd { state.withLock { $0.takeSender() }?.resume() }
  }

  /// What has come since the last call, waiting for something; nil at the end, or when the task is
  /// cancelled.
  func next() async -> [RecognitionResult]? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (ready, sender) = state.withLock {
          state -> ([RecognitionResult]??, CheckedContinuation<Void, Never>?) in
          if Task.isCancelled { return (.some(nil), nil) }
          if !state.results.isEmpty {
            defer { state.results = [] }
            return (.some(state.results), state.takeSender())
          }
          if state.isEnd { return (.some(nil), nil) }
          precondition(state.reader == nil, "one task reads the results")
          state.reader = continuation
          return (nil, nil)
        }
        sender?.resume()
        if let ready { continuation.resume(returning: ready) }
      }
    } onCancel: {
      let reader = state.withLock { state in
        defer { state.reader = nil }
        return state.reader
      }
      reader?.resume(returning: nil)
    }
  }

  /// What has come by now, without waiting.
  func takeAll() -> [RecognitionResult] {
    let (results, sender) = state.withLock { state in
      defer { state.results = [] }
      return (state.results, state.takeSender())
    }
    sender?.resume()
    return results
  }

  /// Returns when no more than `limit` results wait to be read, or none will be.
  func room(_ limit: Int) async {
    await withCheckedContinuation { continuation in
      let hasRoom = state.withLock { state in
        if state.isEnd || state.results.count <= limit { return true }
        precondition(state.sender == nil, "one task sends audio")
        state.sender = continuation
        return false
      }
      if hasRoom { continuation.resume() }
    }
  }

  struct Iterator: AsyncIteratorProtocol {
    let mailbox: ResultMailbox
    mutating func next() async -> [RecognitionResult]? { await mailbox.next() }
  }

  func makeAsyncIterator() -> Iterator { Iterator(mailbox: self) }
}
