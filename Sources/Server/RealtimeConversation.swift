import Audio
import Decoding
import NIOHTTP1
import NIOWebSocket
import Recognizer
import Synchronization
import Wire

/// A connection of OpenAI's Realtime interface.
struct RealtimeTransport: ResumableTransport {
  let client: WebSocketTransport
  /// The number of the last event that a client has got that comes back.
  let lastEvent: Int?

  var connection: Connection { client.connection }

  func send(_ texts: [String]) async throws {
    for text in texts { try await client.writer.text(text) }
  }

  func finish() async { try? await client.writer.close() }

  func fail(_ error: any Error) async {
    let failure = RealtimeFailure(WireError(reporting: error))
    try? await send([RealtimeEvent.error(failure).text(eventID: "event_0")])
    try? await client.writer.close(WebSocketErrorCode(reporting: error))
  }
}

/// OpenAI's Realtime interface for transcription: any number of turns over one WebSocket.
struct RealtimeConversation {
  let context: ServerContext

  func run(_ client: WebSocketTransport, _ head: HTTPRequestHead) async {
    let transport = RealtimeTransport(
      client: client, lastEvent: head.query("last_event").flatMap(Int.init))
    do {
      if let token = head.query("resume") {
        guard transport.lastEvent != nil else {
          throw WireError(.missingField, "'last_event' is missing", field: "last_event")
        }
        try await context.realtimes.resume(token, transport, client.connection)
      } else {
        await RealtimeTurns(
          context, client.connection, model: head.query("model"),
          canResume: head.query("resumable") == "true"
        ).run(over: transport)
      }
    } catch {
      context.report(error, client.connection)
      await transport.fail(error)
    }
  }
}

/// The turns of one Realtime session, over one connection after the other if it can be resumed.
private final class RealtimeTurns: Sendable {
  private let context: ServerContext
  private let conversation: ResumableConversation<RealtimeTransport>
  private let log: EventLog
  private let state: Mutex<State>

  private struct State {
    var reader: RealtimeReader
    var items: RealtimeItems
    /// Events said.
    var events = 0
    /// Seconds of audio in all turns that have ended.
    var seconds = 0.0
    /// Bytes of audio taken, in all turns.
    var receivedBytes = 0
    var turn: Turn?
  }

  /// The audio up to a commit.
  private final class Turn: Sendable {
    let session: Session
    let audio: Mutex<AudioInput>
    /// What the turn was begun with.
    let settings: RealtimeSession
    let translation: Task<Void, Never>

    init(
      _ session: Session, _ audio: sending AudioInput, _ settings: RealtimeSession,
      _ translation: Task<Void, Never>
    ) {
      self.session = session
      self.audio = Mutex(audio)
      self.settings = settings
      self.translation = translation
    }
  }

  /// Events that a client can get again when it comes back.
  private static let keptEvents = 1024

  init(_ context: ServerContext, _ connection: Connection, model: String?, canResume: Bool) {
    self.context = context
    conversation = context.realtimes.begin(connection, canResume: canResume)
    log = EventLog(keeping: canResume ? Self.keptEvents : 0)
    let id = String(UInt64.random(in: 0...UInt64.max), radix: 16)
    state = Mutex(
      State(
        reader: RealtimeReader(
          session: RealtimeSession(
            id: "sess_" + id, model: model ?? context.engine.model.model.name)),
        items: RealtimeItems(prefix: "item_" + id)))
  }

  func run(over transport: RealtimeTransport) async {
    defer { state.withLock { $0.turn }?.session.cancel() }
    await conversation.run(over: transport, log, context) { [self] in
      try greeting($0)
    } read: { transport in
      while let message = try await transport.client.messages.next() {
        conversation.retireOldTokens()
        try await hear(message)
      }
      try transport.connection.checkInput()
      // Without a word of farewell, and not by the server's doing, a client may come back.
      guard transport.client.messages.isClosed || transport.connection.wasStopped else {
        throw WireError(.truncated, "the WebSocket ended without being closed")
      }
    } conclude: { _ in
      guard !log.isFinished else { return }
      await endTurn()
      log.finish()
    } giveUp: { [self] in
      state.withLock { $0.turn }?.session.cancel()
    } isHeard: { _ in
      true
    }
  }

  private func hear(_ message: WebSocketMessage) async throws {
    do throws(RealtimeFailure) {
      let (message, before) = try state.withLock { (state) throws(RealtimeFailure) in
        let before = state.reader.session
        return (try state.reader.read(message), before)
      }
      switch message {
      case .append(let bytes): try await append(bytes)
      case .update(let new): try update(new, before)
      case .commit:
        guard state.withLock({ $0.turn }) != nil else {
          throw RealtimeFailure(
            WireError(.unexpectedMessage, "a commit without audio, expected audio before it"))
        }
        say(state.withLock { $0.items.commit() })
        await endTurn()
      case .clear:
        if let turn = takeTurn() {
          turn.session.cancel()
          await turn.translation.value
        }
        say(state.withLock { $0.items.clear() })
      }
    } catch {
      context.engine.metrics.count(error: error.error.code.rawValue)
      let eventID = state.withLock { $0.reader.eventID }
      say([.error(RealtimeFailure(error.error, eventID: eventID))])
    }
  }

  private func append(_ bytes: [UInt8]) async throws(RealtimeFailure) {
    do {
      let turn = try state.withLock { $0.turn } ?? begin()
      let samples = try turn.audio.withLock { try $0.samples(bytes) }
      state.withLock { $0.receivedBytes += bytes.count }
      try await turn.session.accept(samples)
    } catch {
      throw RealtimeFailure(WireError(reporting: error))
    }
  }

  /// A turn goes on with the settings that it began with; what changes them has to wait for its end.
  private func update(_ new: RealtimeSession, _ before: RealtimeSession) throws(RealtimeFailure) {
    if let turn = state.withLock({ $0.turn }), !new.hearsAs(turn.settings) {
      state.withLock { $0.reader.restore(before) }
      throw RealtimeFailure(
        WireError(
          .unexpectedMessage,
          "format, keywords or turn detection within a turn, expected a commit or clear before"))
    }
    say([.sessionUpdated(new)])
  }

  private func begin() throws -> Turn {
    let settings = state.withLock { $0.reader.session }
    var chosen = SessionOptions(context.engine.model)
    chosen.recognizer.endpointRules =
      settings.turnDetection.map {
        var rules = chosen.recognizer.endpointRules
        rules.trailingSilence = Double($0.silence) / 1000
        return rules
      } ?? EndpointRules(trailingSilence: nil, longestUtterance: nil)
    try chosen.listen(
      to: settings.keywords.map { HotWord($0) },
      field: "session.audio.input.transcription.keywords")
    let audio = try AudioInput(
      encoding: PCMEncoding(settings.format.encoding), sampleRate: settings.format.sampleRate,
      model: chosen.model)
    let session = try context.open(chosen, conversation.connection)
    state.withLock {
      $0.items.begin(detectsTurns: settings.turnDetection != nil, after: $0.seconds)
    }
    let translation = Task { [self] in
      for await results in session.results {
        await log.room()
        for result in results {
          say(state.withLock { $0.items.events(for: WireUtterance(result)) })
        }
      }
    }
    let turn = Turn(session, audio, settings, translation)
    state.withLock { $0.turn = turn }
    return turn
  }

  /// Hears the turn to its end, if there is one.
  private func endTurn() async {
    guard let turn = takeTurn() else { return }
    if let rest = try? turn.audio.withLock({ try $0.finish() }) {
      try? await turn.session.accept(rest)
    }
    turn.session.finish()
    await turn.translation.value
    // One that was given up has nothing to say.
    guard turn.session.close() else { return }
    say(state.withLock { $0.items.end() })
  }

  private func takeTurn() -> Turn? {
    state.withLock { state in
      defer { state.turn = nil }
      state.seconds += state.turn?.session.seconds ?? 0
      return state.turn
    }
  }

  private func say(_ events: [RealtimeEvent]) {
    // Numbers grow in the order of the log.
    state.withLock { state in
      for event in events {
        state.events += 1
        log.append(event.text(eventID: "event_\(state.events)"), key: state.events)
      }
    }
  }

  /// `session.created`; what the client has not got of the events before is sent anew.
  private func greeting(_ transport: RealtimeTransport) throws(WireError) -> [String] {
    if let last = transport.lastEvent, !log.rewind(to: last + 1) {
      throw WireError(
        .invalidValue, "the events after \(last) are not kept any more", field: "last_event")
    }
    let (session, bytes) = state.withLock { ($0.reader.session, $0.receivedBytes) }
    let resumption = conversation.token.map {
      RealtimeResumption(token: $0, receivedBytes: bytes)
    }
    return [RealtimeEvent.sessionCreated(session, resumption).text(eventID: "event_0")]
  }
}
