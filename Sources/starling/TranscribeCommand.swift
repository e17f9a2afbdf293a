import ArgumentParser
import Audio
import Foundation
import Recognizer
import Transcripts

extension TranscriptFormat: ExpressibleByArgument {}

struct TranscribeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "transcribe",
    abstract: "Transcribe audio files, folders of them, or standard input (-).",
    discussion: """
      Files of any format that libsndfile reads, at any rate and with any number of channels. \
      Several are transcribed at once. Results go to standard output in the order of the files, \
      or with --output or --beside to a file each, where files that are done are skipped.
      """)

  @OptionGroup var recognition: RecognitionArguments
  @OptionGroup var decoding: DecodingArguments
  @OptionGroup var raw: RawAudioArguments
  @OptionGroup var text: TextArguments

  @Argument(help: "Audio files, folders, or - for standard input.")
  var files: [String]

  @Option(
    help: ArgumentHelp(
      "Form of the transcripts.",
      valueName: TranscriptFormat.allCases.map(\.rawValue).joined(separator: "|")))
  var format: TranscriptFormat = .text

  @Option(help: "Folder for the transcripts; made if need be.")
  var output: String?

  @Flag(help: "Put each transcript beside its audio file.")
  var beside = false

  @Flag(help: "Transcribe files anew whose transcript is there already.")
  var overwrite = false

  @Option(help: "Files to transcribe at once. (default: one for each processor core)")
  var jobs: Int?

  func validate() throws {
    if beside, output != nil { throw ValidationError("choose --output or --beside, not both") }
    if let jobs, !(1...256).contains(jobs) {
      throw ValidationError("--jobs is \(jobs), expected 1 to 256")
    }
    guard files.count(where: { $0 == "-" }) <= 1 else {
      throw ValidationError("standard input (-) can be named once")
    }
  }

  func run() throws {
    let (inputs, faults) = expandFolders()
    for fault in faults { Terminal.log(fault) }
    let plan: OutputPlan
    do {
      plan = try OutputPlan(inputs: inputs, destination: destination, format: format)
    } catch {
      throw Terminal.failure(error)
    }
    let several = inputs.count + faults.count > 1
    if several, printsTranscripts, !format.allowsSeveralFiles {
      throw Terminal.failure(
        "\(format.rawValue) holds one file; for several choose --output FOLDER or --beside")
    }
    let pending = plan.entries.filter { entry in
      overwrite
        || entry.output.map { !OutputPlan.isDone(input: entry.input.path, output: $0) } ?? true
    }
    let skipped = plan.entries.count - pending.count
    if let output, !pending.isEmpty {
      do { try AtomicOutput.checkFolder(output) } catch { throw Terminal.failure(error) }
    }
    let batch = try TranscriptionBatch(
      entries: pending, skipped: skipped, several: several, command: self)
    let failed = try pending.isEmpty ? 0 : batch.run()
    guard failed + faults.count == 0 else { throw ExitCode.failure }
  }

  /// Whether the transcripts go to standard output and not to files.
  var printsTranscripts: Bool { destination == .standardOutput }

  private var destination: OutputPlan.Destination {
    if beside { return .besideInputs }
    return output.map { .folder($0) } ?? .standardOutput
  }

  /// The files that the arguments mean, and a line for each argument that means none.
  private func expandFolders() -> (inputs: [OutputPlan.Input], faults: [String]) {
    var inputs: [OutputPlan.Input] = []
    var seen: Set<String> = []
    var faults: [String] = []
    for path in files {
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      do {
        let found =
          exists && isFolder.boolValue
          ? try AudioFiles.list(folder: path).map { OutputPlan.Input(path: $0, root: path) }
          : [OutputPlan.Input(path: path)]
        inputs += found.filter { seen.insert($0.path).inserted }
      } catch {
        faults.append("\(error)")
      }
    }
    return (inputs, faults)
  }
}
