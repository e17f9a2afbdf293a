import Synchronization
import Wire

/// The conversations of a protocol that can go on over another connection when theirs is lost.
///
/// A conversation stays in the task that began it. A connection that wants to go on with it hands
/// itself over, and waits until the conversation is through with it.
final class Resumption<Transport: Sendable>: Sendable {
  private struct State {
    var conversations: [String: ResumableConversation<Transport>] = [:]
    var isDraining = false
  }

  private let state = Mutex(State())

  /// Begins a conversation. If it `canResume`, it is known by a token until its `end`.
  func begin(
    _ connection: Connection, canResume: Bool
  ) -> ResumableConversation<Transport> {
    let conversation = ResumableConversation(self, connection, canResume: canResume)
    if canResume { conversation.renewToken() }
    return conversation
  }

  /// Hands `transport` to the conversation that knows `token`; returns when it is through with it.
  ///
  /// - Throws: if there is no such conversation.
  func resume(
    _ token: String, _ transport: Transport, _ connection: Connection
  ) async throws(WireError) {
    guard let conversation = state.withLock({ $0.conversations[token] }),
      let isThrough = conversation.offer(transport, connection)
    else {
      throw WireError(
        .notFound, "no session has this token; its time may be over", field: "resume")
    }
    await isThrough.wait()
  }

  /// Nothing will be resumed any more.
  func drain() {
    let conversations = state.withLock {
      $0.isDraining = true
      return Array($0.conversations.values)
    }
    for conversation in conversations { conversation.giveUp() }
  }

  fileprivate var isDraining: Bool { state.withLock { $0.isDraining } }

  fileprivate func add(_ token: String, _ conversation: ResumableConversation<Transport>) {
    state.withLock { $0.conversations[token] = conversation }
  }

  fileprivate func remove(_ tokens: some Sequence<String>) {
    state.withLock { for token in tokens { $0.conversations[token] = nil } }
  }
}

/// One conversation that can go on over another connection.
final class ResumableConversation<Transport: Sendable>: Sendable {
  /// A transport, and what opens when the conversation is through with it.
  private typealias Offer = (transport: Transport, isThrough: Gate)

  private struct State {
    /// The newest last. An older one counts until the client has shown that it knows a newer.
    var tokens: [String] = []
    var connection: Connection
    /// Opens when the conversation is through with what it was handed last.
    var isThrough: Gate?
    var offered: Offer?
    var waiter: CheckedContinuation<Offer?, Never>?
    var isOver = false
  }

  let canResume: Bool
  private let resumption: Resumption<Transport>
  private let state: Mutex<State>

  fileprivate init(
    _ resumption: Resumption<Transport>, _ connection: Connection, canResume: Bool
  ) {
    self.canResume = canResume
    self.resumption = resumption
    state = Mutex(State(connection: connection))
  }

  /// The connection that was handed over last.
  var connection: Connection { state.withLock { $0.connection } }

  /// What the client must know to go on; nil if it cannot.
  var token: String? { state.withLock { $0.tokens.last } }

  /// The next token, for the client to be told. The one before it still counts.
  func renewToken() {
    let token = (0..<4).map { _ in UInt32.random(in: 0...UInt32.max) }
      .map { String(UInt64($0) | 1 << 32, radix: 16).dropFirst() }.joined()
    state.withLock { $0.tokens.append(token) }
    resumption.add(token, self)
  }

  /// The client knows the newest token: the ones before it are spent.
  func retireOldTokens() {
    let old = state.withLock { state in
      defer { state.tokens = state.tokens.suffix(1) }
      return state.tokens.dropLast()
    }
    if !old.isEmpty { resumption.remove(old) }
  }

  /// Waits for the client to come back, over a connection that takes the place of the last.
  ///
  /// - Returns: nil if it does not come within `seconds`.
  func next(_ seconds: Double) async -> Transport? {
    finishTransport()
    let timer = Task { [weak self] in
      try await Task.sleep(for: .seconds(seconds))
      self?.giveUp()
    }
    defer { timer.cancel() }
    let offer = await withCheckedContinuation { continuation in
      let ready = state.withLock { state -> Offer?? in
        if let offered = state.offered {
          state.offered = nil
          return .some(offered)
        }
        if state.isOver || resumption.isDraining { return .some(nil) }
        state.waiter = continuation
        return nil
      }
      if let ready { continuation.resume(returning: ready) }
    }
    state.withLock { $0.isThrough = offer?.isThrough }
    return offer?.transport
  }

  /// The conversation is over.
  func end() {
    let (tokens, offered) = state.withLock { state in
      state.isOver = true
      return (state.tokens, state.offered)
    }
    resumption.remove(tokens)
    finishTransport()
    offered?.isThrough.open()
  }

  /// - Returns: what opens when the conversation is through with `transport`; nil if it is over.
  fileprivate func offer(_ transport: Transport, _ connection: Connection) -> Gate? {
    let offer = (transport, Gate())
    let accepted = state.withLock {
      state -> (waiter: CheckedContinuation<Offer?, Never>?, previous: Connection)? in
      guard !state.isOver, state.offered == nil else { return nil }
      defer {
        state.connection = connection
        state.waiter = nil
      }
      if state.waiter == nil { state.offered = offer }
      return (state.waiter, state.connection)
    }
    guard let accepted else { return nil }
    if let waiter = accepted.waiter {
      waiter.resume(returning: offer)
    } else {
      // Whoever comes with the token knows that the old connection is dead.
      accepted.previous.drop()
    }
    return offer.1
  }

  fileprivate func giveUp() {
    let waiter = state.withLock { state in
      defer { state.waiter = nil }
      if state.waiter != nil { state.isOver = true }
      return state.waiter
    }
    waiter?.resume(returning: nil)
  }

  private func finishTransport() {
    let gate = state.withLock { state in
      defer { state.isThrough = nil }
      return state.isThrough
    }
    gate?.open()
  }
}
