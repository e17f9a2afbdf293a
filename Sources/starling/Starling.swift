import ArgumentParser

@main
struct Starling: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "starling",
    abstract: "Streaming speech recognition for Linux.",
    version: "0.1.0",
    subcommands: [
      TranscribeCommand.self, StreamCommand.self, ServeCommand.self, ClientCommand.self,
      AlignCommand.self, WerCommand.self, LensCommand.self, ModelCommand.self, BenchCommand.self,
      CompareCommand.self,
    ])
}
