import Foundation
import TestSupport

/// The built `starling`, run as a shell runs it.
///
/// Its output goes to files, so that no full pipe can make it wait; its input comes through a
/// pipe.
final class Starling {
  struct Result {
    /// Exit code; 128 and the signal's number if a signal ended it.
    let status: Int32
    let output: String
    let errors: String
    let timedOut: Bool
    /// Most memory that was resident at once, as seen every few milliseconds.
    let peakBytes: Int

    var lines: [String] {
      output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        .dropLast(output.hasSuffix("\n") || output.isEmpty ? 1 : 0)
    }
  }

  /// Beside the test bundle, whatever the folder of the build is called.
  static let executable: String = {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let places = [own] + CommandLine.arguments.filter { $0.hasSuffix(".xctest") }
    let candidates = places.map { ($0 as NSString).deletingLastPathComponent + "/starling" }
    return candidates.first { FileManager.default.isExecutableFile(atPath: $0) }
      ?? Places.package + "/.build/release/starling"
  }()

  private static let spawning = NSLock()
  private static let pollSeconds = 0.004
  /// Far more than any test needs on a busy machine.
  static let usualTimeLimit = 240.0

  private let process: pid_t
  private var input: Int32
  private let outputFile: String
  private let errorFile: String
  private let deadline: ContinuousClock.Instant
  private var peakBytes = 0
  private var status: Int32?

  /// Runs a command to its end.
  ///
  /// - Parameters:
  ///   - input: what comes through standard input, `pieces` bytes at a time; nil for /dev/null.
  ///   - model: what `STARLING_MODEL` says; nil leaves it unset.
  static func run(
    _ arguments: [String], input: [UInt8]? = nil, pieces: [Int] = [], directory: String = "/",
    model: String? = Places.shippedModel, executable: String = Starling.executable,
    timeLimit: Double = usualTimeLimit
  ) throws -> Result {
    let starling = try Starling(
      arguments, hasInput: input != nil, directory: directory, model: model,
      executable: executable, timeLimit: timeLimit)
    if let input {
      var rest = input[...]
      for piece in pieces {
        starling.write(rest.prefix(piece))
        rest = rest.dropFirst(piece)
      }
      starling.write(rest)
      starling.endInput()
    }
    return starling.wait()
  }

  /// Copies an executable at a moment when no process starts: one that inherited the open copy
  /// would make it a busy file.
  static func copyExecutable(to path: String) throws {
    spawning.lock()
    defer { spawning.unlock() }
    try FileManager.default.copyItem(atPath: executable, toPath: path)
  }

  init(
    _ arguments: [String], hasInput: Bool = true, directory: String = "/",
    model: String? = Places.shippedModel, executable: String = Starling.executable,
    timeLimit: Double = usualTimeLimit
  ) throws {
    // A command that ends before it has read everything must not end the tests.
    signal(SIGPIPE, SIG_IGN)
    let base = NSTemporaryDirectory() + "/starling-command-" + UUID().uuidString
    (outputFile, errorFile) = (base + ".out", base + ".err")
    deadline = .now + .seconds(timeLimit)
    // A process started while the pipe could be inherited would keep this one's input open.
    Self.spawning.lock()
    defer { Self.spawning.unlock() }
    var ends: [Int32] = [-1, -1]
    if hasInput {
      pipe(&ends)
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    }
    input = ends[1]

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if hasInput {
      posix_spawn_file_actions_adddup2(&actions, ends[0], 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    let flags = O_WRONLY | O_CREAT | O_TRUNC
    posix_spawn_file_actions_addopen(&actions, 1, outputFile, flags, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errorFile, flags, 0o600)

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    for number in [SIGPIPE, SIGINT, SIGTERM] { sigaddset(&signals, number) }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))

    var environment = ProcessInfo.processInfo.environment
    environment["STARLING_MODEL"] = model
    let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    let change = ["/bin/sh", "-c", "cd \"$1\" && shift && exec \"$@\"", "sh", directory]
    let words = (change + [executable] + arguments).map { strdup($0) } + [nil]
    defer { for text in variables + words { free(text) } }
    var process: pid_t = 0
    let code = posix_spawn(&process, "/bin/sh", &actions, &attributes, words, variables)
    self.process = process
    if hasInput { close(ends[0]) }
    guard code == 0 else {
      status = -1
      endInput()
      throw CommandFailure(description: "\(executable): \(String(cString: strerror(code)))")
    }
  }

  deinit {
    endInput()
    if status == nil {
      kill(process, SIGKILL)
      var ignored: Int32 = 0
      waitpid(process, &ignored, 0)
    }
    unlink(outputFile)
    unlink(errorFile)
  }

  /// Hands over bytes; gives up when the process takes no more or the time is over.
  func write(_ bytes: some Collection<UInt8>) {
    var rest = Array(bytes)[...]
    while !rest.isEmpty, input >= 0 {
      let count = rest.withUnsafeBytes { Foundation.write(input, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if count < 0, errno == EAGAIN, ContinuousClock.now < deadline {
        var waiting = pollfd(fd: input, events: Int16(POLLOUT), revents: 0)
        poll(&waiting, 1, 20)
        sampleMemory()
      } else if count < 0, errno == EINTR {
        continue
      } else {
        return
      }
    }
  }

  func endInput() {
    if input >= 0 { close(input) }
    input = -1
  }

  func send(_ signal: Int32) { kill(process, signal) }

  /// What has been printed so far.
  var output: String { Self.read(outputFile) }

  /// Waits until the output fulfils `condition`; false if the process or the time ends before.
  func waitForOutput(_ condition: (String) -> Bool) -> Bool {
    while true {
      let ended = hasEnded()
      if condition(output) { return true }
      if ended || ContinuousClock.now >= deadline { return false }
      Thread.sleep(forTimeInterval: Self.pollSeconds)
    }
  }

  /// Waits for the end, or ends the process when its time is over.
  func wait() -> Result {
    var timedOut = false
    while !hasEnded() {
      if ContinuousClock.now >= deadline, !timedOut {
        timedOut = true
        kill(process, SIGKILL)
      }
      Thread.sleep(forTimeInterval: Self.pollSeconds)
    }
    return Result(
      status: status!, output: output, errors: Self.read(errorFile), timedOut: timedOut,
      peakBytes: peakBytes)
  }

  private func hasEnded() -> Bool {
    guard status == nil else { return true }
    sampleMemory()
    var code: Int32 = 0
    guard waitpid(process, &code, WNOHANG) == process else { return false }
    let signal = code & 0x7F
    status = signal == 0 ? code >> 8 & 0xFF : 128 + signal
    return true
  }

  /// The kernel's own high-water mark. `ru_maxrss` would not do: a child inherits in it what its
  /// parent had resident when it was started.
  private func sampleMemory() {
    guard
      let line = Self.read("/proc/\(process)/status").split(separator: "\n")
        .first(where: { $0.hasPrefix("VmHWM:") }),
      let kilobytes = Int(line.filter(\.isNumber))
    else { return }
    peakBytes = max(peakBytes, kilobytes * 1024)
  }

  private static func read(_ path: String) -> String {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}

struct CommandFailure: Error, CustomStringConvertible { let description: String }
