import ArgumentParser
import Client
import Wire

/// What a client asks of a server, as far as the protocol can carry it.
struct RequestArguments: ParsableArguments {
  @Option(help: ArgumentHelp("File of the token that the server asks for.", valueName: "file"))
  var tokenFile: String?

  @Option(help: "Delay between sound and text, as of 'starling stream'.")
  var latency: String?

  @Option(help: "What settles the text of an utterance, as of 'starling stream'.")
  var finalPass: String?

  @Option(help: ArgumentHelp("A phrase to listen for; repeatable.", valueName: "phrase"))
  var hotWord: [String] = []

  /// - Throws: for what the protocol has no place for.
  func check(_ spoken: ClientProtocol) throws {
    let requests: [(option: String, name: ClientOptions.Name, isThere: Bool)] = [
      ("--token-file", .token, tokenFile != nil), ("--latency", .latency, latency != nil),
      ("--final-pass", .finalPass, finalPass != nil), ("--hot-word", .hotWords, !hotWord.isEmpty),
    ]
    for (option, name, isThere) in requests where isThere && !spoken.carries(name) {
      let able = ClientProtocol.allCases.filter { $0.carries(name) }.map(\.rawValue)
      throw ValidationError(
        "\(option) has no place in \(spoken.rawValue), only in " + able.joined(separator: ", "))
    }
  }

  func options() throws -> ClientOptions {
    var options = ClientOptions()
    options.token = try tokenFile.map(TokenFile.read)
    options.latency = latency
    options.finalPass = finalPass
    options.hotWords = hotWord
    return options
  }
}
