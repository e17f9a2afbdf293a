import Foundation

/// Which file each transcript goes to, settled before any work begins.
public struct OutputPlan: Equatable, Sendable {
  /// One audio file to transcribe.
  public struct Input: Equatable, Sendable {
    /// The path as the user reaches it; `-` is standard input.
    public var path: String
    /// The folder argument whose contents the file is part of, if it was found in one.
    public var root: String?

    public init(path: String, root: String? = nil) {
      self.path = path
      self.root = root
    }
  }

  /// Where the user wants the transcripts.
  public enum Destination: Equatable, Sendable {
    case standardOutput
    /// A folder, which need not exist yet. Sub-folders below an input's root are kept in it.
    case folder(String)
    /// Each in the folder of its audio; that of standard input in the current folder.
    case besideInputs
  }

  /// An input and the path of its transcript.
  public struct Entry: Equatable, Sendable {
    public let input: Input
    /// nil means standard output.
    public let output: String?
  }

  /// One for each input, in the same order.
  public let entries: [Entry]

  /// Names each output after its input: `a.wav` → `a.txt`. Where two would get one name, both
  /// keep their whole name: `a.wav.txt` and `a.flac.txt`.
  public init(
    inputs: [Input], destination: Destination, format: TranscriptFormat
  ) throws(OutputPlanError) {
    guard destination != .standardOutput else {
      entries = inputs.map { Entry(input: $0, output: nil) }
      return
    }
    let candidates = inputs.map { input in
      let folder = Self.folder(of: input, in: destination)
      let name = input.path == "-" ? "stdin" : PathName.last(input.path)
      return Candidate(
        short: PathName.join(folder, PathName.stem(input.path) + "." + format.fileExtension),
        full: PathName.join(folder, name + "." + format.fileExtension))
    }
    let outputs = try Self.distinct(candidates, of: inputs)
    try Self.refuseOverwriting(inputs, by: outputs)
    entries = zip(inputs, outputs).map { Entry(input: $0, output: $1) }
  }

  /// Whether the transcript is already there: a regular file, not older than its audio. An empty
  /// one counts, since silence has no text. Standard input is never done.
  public static func isDone(input: String, output: String) -> Bool {
    var from = stat()
    var to = stat()
    guard input != "-", stat(input, &from) == 0, stat(output, &to) == 0,
      to.st_mode & S_IFMT == S_IFREG
    else { return false }
    return (to.st_mtim.tv_sec, to.st_mtim.tv_nsec) >= (from.st_mtim.tv_sec, from.st_mtim.tv_nsec)
  }

  /// The two names an output may get, and where each leads.
  private struct Candidate {
    let short: String
    let full: String
    let shortIdentity: String
    let fullIdentity: String
    var usesFull = false

    init(short: String, full: String) {
      self.short = short
      self.full = full
      shortIdentity = PathName.identity(short)
      fullIdentity = PathName.identity(full)
    }

    var path: String { usesFull ? full : short }
    var identity: String { usesFull ? fullIdentity : shortIdentity }
  }

  private static func folder(of input: Input, in destination: Destination) -> String {
    switch destination {
    case .standardOutput, .besideInputs:
      return PathName.folder(input.path)
    case .folder(let folder):
      guard let root = input.root.map(PathName.absoluteParts) else { return folder }
      let parts = PathName.absoluteParts(input.path)
      guard parts.starts(with: root) else { return folder }
      return parts[root.count...].dropLast().reduce(folder, PathName.join)
    }
  }

  /// Gives the full name to all that share one, until none do; a full name can meet a short one.
  private static func distinct(
    _ candidates: [Candidate], of inputs: [Input]
  ) throws(OutputPlanError) -> [String] {
    var candidates = candidates
    while true {
      let shared = Dictionary(grouping: candidates.indices) { candidates[$0].identity }
        .values.filter { $0.count > 1 }
      if shared.isEmpty { return candidates.map(\.path) }
      let lengthened = shared.joined().filter { !candidates[$0].usesFull }
      if lengthened.isEmpty, let first = shared.min(by: { $0[0] < $1[0] }) {
        throw .collision(
          inputs[first[0]].path, inputs[first[1]].path, output: candidates[first[0]].path)
      }
      for index in lengthened { candidates[index].usesFull = true }
    }
  }

  private static func refuseOverwriting(
    _ inputs: [Input], by outputs: [String]
  ) throws(OutputPlanError) {
    let files = inputs.filter { $0.path != "-" }
    let byIdentity = Dictionary(
      files.map { (PathName.identity($0.path), $0.path) }, uniquingKeysWith: { first, _ in first })
    for (input, output) in zip(inputs, outputs) {
      if let overwritten = byIdentity[PathName.identity(output)] {
        throw .overwritesInput(overwritten, transcriptOf: input.path)
      }
    }
  }
}
