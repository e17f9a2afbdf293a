import ArgumentParser

@main
struct Starling: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "starling",
    abstract: "Streaming speech recognition for Linux.",
    version: "0.1.0",
    subcommands: [
      TranscribeCommand.self, StreamCommand.self, AlignCommand.self, LensCommand.self,
      ModelCommand.self, BenchCommand.self, CompareCommand.self,
    ])
}
