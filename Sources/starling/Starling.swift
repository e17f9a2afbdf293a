import ArgumentParser

@main
struct Starling: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "starling", abstract: "Streaming speech recognition.")
}
