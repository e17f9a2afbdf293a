import NIOCore
public import Wire

/// One session with a server: audio in, results out.
public struct ClientSession: Sendable {
  /// What happens in a session.
  public enum Progress: Equatable, Sendable {
    /// About to be sent.
    /// - Parameter seconds: of audio in all, with this portion.
    case sending(seconds: Double)
    /// The end of the audio is about to be sent.
    case ending
    case said(ClientResult)
  }

  /// Seconds without an answer, where one is due, after which a server is given up.
  public static let patience = 60.0

  private let endpoint: Endpoint
  private let isPaced: Bool
  private let progress: @Sendable (Progress, ContinuousClock.Instant) throws -> Void

  /// - Parameters:
  ///   - isPaced: whether audio is sent as fast as it is spoken: a portion when its last sample
  ///     would have come from a microphone.
  ///   - progress: called for all that happens, with the time when it does, by one task at a time
  ///     and never at once.
  public init(
    _ endpoint: Endpoint, isPaced: Bool,
    progress: @escaping @Sendable (Progress, ContinuousClock.Instant) throws -> Void
  ) {
    self.endpoint = endpoint
    self.isPaced = isPaced
    self.progress = progress
  }

  /// Sends the audio and takes what the server says, until all is said.
  ///
  /// - Throws: `ClientError`, and what `audio` and `progress` throw.
  public func run(_ audio: ClientAudio) async throws {
    try await withTaskExecutorPreference(LoopExecutor.shared) {
      // A client that goes on with a lost session would connect again here.
      let messages = try await endpoint.connect()
      let conversation = Conversation(
        endpoint.protocol, endpoint.options, channel: messages.channel)
      try await messages.executeThenClose { inbound, outbound in
        var iterator = inbound.makeAsyncIterator()
        let watch = Task(executorPreference: LoopExecutor.shared) { await conversation.watch() }
        defer { watch.cancel() }
        for message in conversation.opening() { try? await outbound.write(message) }
        while conversation.awaitsReady { try await hear(&iterator, conversation) }
        let sender = Task(executorPreference: LoopExecutor.shared) {
          do { try await send(audio, conversation, outbound) } catch { conversation.fail(error) }
        }
        defer { sender.cancel() }
        while !conversation.isOver { try await hear(&iterator, conversation) }
      }
    }
  }

  /// Takes the next message of the server.
  private func hear(
    _ iterator: inout NIOAsyncChannelInboundStream<Incoming>.AsyncIterator,
    _ conversation: Conversation
  ) async throws {
    // A connection that breaks and one that ends are the same to a client.
    let incoming = try? await iterator.next()
    let now = ContinuousClock.now
    let (results, failure) = conversation.results(of: incoming)
    for result in results { try progress(.said(result), now) }
    if let failure { throw failure }
  }

  private func send(
    _ audio: ClientAudio, _ conversation: Conversation,
    _ outbound: NIOAsyncChannelOutboundWriter<WebSocketMessage>
  ) async throws {
    let format = endpoint.protocol.audioFormat
    let start = ContinuousClock.now
    var bytes = 0
    try await audio.forEachPortion(of: format) { portion in
      bytes += portion.count
      let seconds = Double(bytes) / Double(format.bytesPerSecond)
      if isPaced { await LoopExecutor.shared.sleep(until: start + .seconds(seconds)) }
      try Task.checkCancellation()
      try progress(.sending(seconds: seconds), .now)
      let message = conversation.message(of: portion, seconds: seconds)
      // The other task learns why nothing can be sent: the server may have said so.
      try? await outbound.write(message)
    }
    try progress(.ending, .now)
    for message in conversation.endOfAudio() { try? await outbound.write(message) }
  }
}
