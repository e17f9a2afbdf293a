/// Many sessions at once with one server, each hearing the same files in its own order.
public struct LoadGenerator: Sendable {
  public struct File: Sendable {
    public var name: String
    /// In the protocol's `audioFormat`.
    public var audio: [UInt8]

    public init(name: String, audio: [UInt8]) {
      self.name = name
      self.audio = audio
    }
  }

  /// When the load ends; every file that was begun is heard to its end.
  public enum Length: Equatable, Sendable {
    /// Each session hears all files so often.
    case rounds(Int)
    /// No file is begun after so many seconds.
    case seconds(Double)
  }

  public let endpoint: Endpoint
  /// At once.
  public let sessions: Int
  public let length: Length
  /// Seconds over which the first files of the sessions are begun.
  public let stagger: Double
  /// Whether audio is sent as fast as it is spoken.
  public let isPaced: Bool
  public let files: [File]

  /// - Precondition: there are sessions and files.
  public init(
    _ endpoint: Endpoint, sessions: Int, length: Length, stagger: Double, isPaced: Bool,
    files: [File]
  ) {
    precondition(sessions > 0 && !files.isEmpty, "a load needs sessions and files")
    self.endpoint = endpoint
    self.sessions = sessions
    self.length = length
    self.stagger = stagger
    self.isPaced = isPaced
    self.files = files
  }

  public func run() async -> LoadReport {
    let start = ContinuousClock.now
    let cpuBefore = ProcessorTime.seconds
    let tally = await withTaskExecutorPreference(LoopExecutor.shared) {
      await withTaskGroup(of: [HearingOutcome].self, returning: LoadTally.self) { group in
        for session in 0..<sessions { group.addTask { await hear(as: session, since: start) } }
        var tally = LoadTally(fileCount: files.count)
        for await outcomes in group { for outcome in outcomes { tally.add(outcome) } }
        return tally
      }
    }
    let wall = ContinuousClock.now - start
    return LoadReport(
      self, tally, seconds: wall.seconds, processorSeconds: ProcessorTime.seconds - cpuBefore)
  }

  /// Hears one file after the other.
  private func hear(
    as session: Int, since start: ContinuousClock.Instant
  ) async -> [HearingOutcome] {
    let delay = stagger * Double(session) / Double(sessions)
    await LoopExecutor.shared.sleep(until: start + .seconds(delay))
    var outcomes: [HearingOutcome] = []
    var turn = 0
    while isDue(turn, since: start) {
      let file = (session + turn) % files.count
      let hearing = Hearing(file: file)
      var failure: String?
      do {
        try await ClientSession(endpoint, isPaced: isPaced, progress: hearing.note)
          .run(.whole(files[file].audio))
      } catch {
        failure = (error as? ClientError)?.kind ?? "client"
        // A server that refuses is not asked again at once.
        await LoopExecutor.shared.sleep(until: .now + .seconds(1))
      }
      outcomes.append(hearing.outcome(failure: failure, isPaced: isPaced))
      turn += 1
    }
    return outcomes
  }

  private func isDue(_ turn: Int, since start: ContinuousClock.Instant) -> Bool {
    switch length {
    case .rounds(let rounds): turn < rounds * files.count
    case .seconds(let seconds): ContinuousClock.now - start < .seconds(seconds)
    }
  }
}

extension Duration {
  var seconds: Double { self / .seconds(1) }
}
