import Audio
import NIOCore
import Recognizer
import Synchronization
import Wire

/// A connection of the native protocol.
struct NativeTransport: ResumableTransport {
  let connection: Connection
  let messages: ByteMessages<NativeReader>
  let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  /// What the client said first.
  var opening = NativeOptions()

  func send(_ texts: [String]) async throws {
    try await outbound.write(ByteBuffer(string: texts.joined()))
  }

  func finish() async {
    outbound.finish()
    await messages.discard()
  }

  func fail(_ error: any Error) async {
    try? await send([NativeEvent.error(WireError(reporting: error)).line])
    await finish()
  }
}

/// The native protocol over TCP, a Unix socket or standard input and output: docs/protocols.md.
struct NativeConversation {
  let context: ServerContext
  let connection: Connection

  func run(
    _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
    _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
  ) async {
    var transport = NativeTransport(
      connection: connection, messages: ByteMessages(inbound, NativeReader(), connection),
      outbound: outbound)
    do {
      guard case .open(let options) = try await transport.messages.next() else { return }
      try context.authorize(options.token)
      transport.opening = options
      if let token = options.resume {
        try await context.natives.resume(token, transport, connection)
      } else {
        await (try NativeSession(context, transport)).run(over: transport)
      }
    } catch {
      context.report(error, connection)
      await transport.fail(error)
    }
  }
}

/// One session of the native protocol, over one connection after the other if it can be resumed.
private final class NativeSession: Sendable {
  private let context: ServerContext
  private let options: NativeOptions
  private let session: Session
  private let conversation: ResumableConversation<NativeTransport>
  private let log: EventLog
  /// Makes lines of results.
  private let translation: Task<Void, Never>
  private let state: Mutex<State>

  private struct State {
    var audio: AudioInput
    /// Bytes of audio handed to the session.
    var receivedBytes = 0
  }

  /// Final results that a client can get again when it comes back.
  private static let keptFinals = 256

  /// Of the event after all results: more than any utterance.
  private static let endKey = Int(Int32.max)

  init(_ context: ServerContext, _ transport: NativeTransport) throws {
    self.context = context
    options = transport.opening
    let chosen = try SessionOptions(options, context.engine.model)
    state = Mutex(
      State(
        audio: try AudioInput(
          encoding: PCMEncoding(options.encoding), sampleRate: options.sampleRate,
          channels: options.channels, model: chosen.model)))
    let session = try context.open(chosen, transport.connection)
    self.session = session
    conversation = context.natives.begin(transport.connection, canResume: options.isResumable)
    let log = EventLog(keeping: options.isResumable ? Self.keptFinals : 0)
    self.log = log
    translation = Task { [interval = chosen.partialInterval] in
      var throttle = PartialThrottle(milliseconds: interval)
      for await results in session.results {
        await log.room()
        for result in results where throttle.allows(result) {
          log.append(
            NativeEvent.result(WireUtterance(result)).line,
            key: result.kind == .final ? result.utterance : nil)
        }
      }
    }
  }

  func run(over transport: NativeTransport) async {
    defer { session.cancel() }
    await conversation.run(over: transport, log, context) { [self] in
      try greeting($0)
    } read: { transport in
      try await read(transport)
    } conclude: { fault in
      guard !log.isFinished else { return }
      if fault == nil || session.seconds > 0 { session.finish() } else { session.cancel() }
      await translation.value
      session.close()
      if fault == nil {
        log.append(NativeEvent.end(seconds: session.seconds).line, key: Self.endKey)
      }
      log.finish()
    } giveUp: { [session] in
      session.cancel()
    } isHeard: { transport in
      // With raw framing the client has closed its side long before.
      guard transport.opening.framing == .length else { return false }
      transport.outbound.finish()
      do { return try await transport.messages.next() == nil } catch { return false }
    }
  }

  /// `ready`; what the client has not got of the events before is sent anew.
  private func greeting(_ transport: NativeTransport) throws(WireError) -> [String] {
    if let next = transport.opening.nextUtterance, !log.rewind(to: next) {
      throw WireError(
        .invalidValue, "utterance \(next) is not kept any more", field: "next_utterance")
    }
    let ready = NativeEvent.Ready(
      session: session.id, resumeToken: conversation.token,
      receivedBytes: state.withLock { $0.receivedBytes }, options: options)
    return [NativeEvent.ready(ready).line]
  }

  private func read(_ transport: NativeTransport) async throws {
    while let message = try await transport.messages.next() {
      // Whoever goes on has read the newest token.
      conversation.retireOldTokens()
      guard case .audio(let bytes) = message else {
        try transport.messages.checkEnd()
        break
      }
      guard !session.isFinished else {
        throw WireError(.unexpectedMessage, "audio after the end of the audio")
      }
      try await session.accept(try samples(bytes))
    }
    try transport.connection.checkInput()
    if !session.isFinished {
      try await session.accept(try state.withLock { try $0.audio.finish() })
    }
  }

  private func samples(_ bytes: [UInt8]) throws(WireError) -> [Float] {
    try state.withLock { (state) throws(WireError) in
      state.receivedBytes += bytes.count
      return try state.audio.samples(bytes)
    }
  }
}
