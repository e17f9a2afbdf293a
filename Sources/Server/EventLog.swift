import Synchronization

/// What a conversation says, on its way to a client that may lose its connection and come back for
/// what it missed.
final class EventLog: Sendable {
  private struct Entry {
    let text: String
    /// Tells a client that comes back whether it knows the event; nil if it need not.
    let key: Int?
  }

  private struct State {
    /// Events that the client may ask for again, then those from `unsent` on.
    var entries: [Entry] = []
    var unsent = 0
    /// Keys below it are forgotten.
    var firstKey = 0
    var isFinished = false
    /// Whether there is a connection that takes the events.
    var isRead = false
    var reader: CheckedContinuation<[String]?, Never>?
    var writer: CheckedContinuation<Void, Never>?

    mutating func takeWriter() -> CheckedContinuation<Void, Never>? {
      defer { writer = nil }
      return writer
    }

    /// The events that were not sent yet, which count as sent now.
    mutating func takeUnsent(keeping limit: Int) -> [String] {
      let texts = entries[unsent...].map(\.text)
      entries.removeAll { $0.key == nil }
      while entries.count > limit { firstKey = entries.removeFirst().key! + 1 }
      unsent = entries.count
      return texts
    }
  }

  private let kept: Int
  private let state = Mutex(State())
  /// Events that may wait to be sent.
  private static let mostUnsent = 1000

  /// - Parameter kept: events that a client can get again; 0 if it cannot come back.
  init(keeping kept: Int) { self.kept = kept }

  /// - Parameter key: grows from event to event.
  func append(_ text: String, key: Int?) {
    let (reader, texts) = state.withLock {
      state -> (CheckedContinuation<[String]?, Never>?, [String]) in
      precondition(!state.isFinished, "nothing is said after the end")
      state.entries.append(Entry(text: text, key: key))
      guard let reader = state.reader else { return (nil, []) }
      state.reader = nil
      return (reader, state.takeUnsent(keeping: kept))
    }
    reader?.resume(returning: texts)
  }

  /// Whether all is said, if perhaps not sent.
  var isFinished: Bool { state.withLock { $0.isFinished } }

  /// Nothing more will be said.
  func finish() {
    let reader = state.withLock { state in
      state.isFinished = true
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume(returning: nil)
  }

  /// Events that have not been sent, waiting for some; nil after the last, or when the task is
  /// cancelled.
  func next() async -> [String]? {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (ready, writer) = state.withLock {
          state -> ([String]??, CheckedContinuation<Void, Never>?) in
          if Task.isCancelled { return (.some(nil), nil) }
          state.isRead = true
          if state.unsent < state.entries.count {
            return (.some(state.takeUnsent(keeping: kept)), state.takeWriter())
          }
          if state.isFinished { return (.some(nil), nil) }
          precondition(state.reader == nil, "one connection takes the events")
          state.reader = continuation
          return (nil, nil)
        }
        writer?.resume()
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

  /// The connection is lost: nobody waits for it to take anything.
  func abandon() {
    let writer = state.withLock { state in
      state.isRead = false
      return state.takeWriter()
    }
    writer?.resume()
  }

  /// Returns when there is room for more events.
  func room() async {
    await withCheckedContinuation { continuation in
      let hasRoom = state.withLock { state in
        if !state.isRead || state.entries.count - state.unsent <= Self.mostUnsent { return true }
        precondition(state.writer == nil, "one task says something")
        state.writer = continuation
        return false
      }
      if hasRoom { continuation.resume() }
    }
  }

  /// Goes back to the first event whose key is `key` or later.
  ///
  /// - Returns: false if it may be forgotten.
  func rewind(to key: Int) -> Bool {
    state.withLock { state in
      guard key >= state.firstKey else { return false }
      state.entries.removeAll { ($0.key ?? Int.max) < key }
      state.firstKey = max(state.firstKey, key)
      state.unsent = 0
      return true
    }
  }
}
