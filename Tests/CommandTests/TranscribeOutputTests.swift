import Foundation
import TestSupport
import Testing

@Suite struct TranscribeOutputTests {
  private func modified(_ path: String) throws -> Date {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(attributes[.modificationDate] as? Date)
  }

  @Test func anOutputFolderKeepsTheStructureAndIsResumable() throws {
    let folder = TemporaryFolder()
    try folder.copy("stereo-48khz.wav", to: "in/deep/er/stereo.wav")
    try folder.copy("dreamland.mp3", to: "in/a.mp3")
    func run(_ more: String...) throws -> Starling.Result {
      try Starling.run(
        ["transcribe", "in", "--output", "made/out"] + more, directory: folder.path)
    }
    let first = try run()
    expectSuccess(first)
    #expect(first.output == "")
    let out = folder.content.filter { $0.hasPrefix("made/") }
    #expect(
      out == [
        "made/out", "made/out/a.txt", "made/out/deep", "made/out/deep/er",
        "made/out/deep/er/stereo.txt",
      ])
    #expect(try folder.text("made/out/a.txt") == Sample.text(Sample.dreamland) + "\n")
    #expect(try folder.text("made/out/deep/er/stereo.txt") == Sample.stereoText + "\n")

    // What is done is skipped, whatever it says; what is missing is not.
    try folder.write("made/out/a.txt", "by hand".utf8)
    try FileManager.default.removeItem(atPath: folder.path + "/made/out/deep/er/stereo.txt")
    let before = try modified(folder.path + "/made/out/a.txt")
    expectSuccess(try run())
    #expect(try folder.text("made/out/a.txt") == "by hand")
    #expect(try modified(folder.path + "/made/out/a.txt") == before)
    #expect(try folder.text("made/out/deep/er/stereo.txt") == Sample.stereoText + "\n")

    expectSuccess(try run("--overwrite"))
    #expect(try folder.text("made/out/a.txt") == Sample.text(Sample.dreamland) + "\n")

    // Audio that is newer than its transcript is transcribed anew.
    try folder.write("made/out/a.txt", "old".utf8)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: 60)], ofItemAtPath: folder.path + "/in/a.mp3")
    expectSuccess(try run())
    #expect(try folder.text("made/out/a.txt") == Sample.text(Sample.dreamland) + "\n")
  }

  @Test func besideTheAudio() throws {
    let folder = TemporaryFolder()
    try folder.copy("dreamland.mp3", to: "talk.mp3")
    try folder.copy("stereo-48khz.wav", to: "sub/talk.wav")
    let result = try Starling.run(
      ["transcribe", folder.path, "--beside", "--format", "srt"])
    expectSuccess(result)
    #expect(result.output == "")
    #expect(folder.content == ["sub", "sub/talk.srt", "sub/talk.wav", "talk.mp3", "talk.srt"])
    #expect(try folder.text("talk.srt").hasPrefix("1\n00:00:0"))
  }

  @Test func aFailureWritesNothingAndTheOthersAreWritten() throws {
    let folder = TemporaryFolder()
    try folder.copy("dreamland.mp3", to: "in/b.mp3")
    try folder.write("in/a.wav", "not audio at all".utf8)
    let result = try Starling.run(
      ["transcribe", "in", "--output", "out"], directory: folder.path)
    expectRefusal(result, saying: "'in/a.wav'")
    #expect(folder.content == ["in", "in/a.wav", "in/b.mp3", "out", "out/b.txt"])
  }

  @Test func anOutputThatCannotBeWritten() throws {
    let folder = TemporaryFolder()
    let file = try folder.write("file", "a regular file".utf8)
    let below = try Starling.run(["transcribe", Sample.dreamland, "--output", file + "/out"])
    expectRefusal(below, saying: "cannot write", "\(file)' is not a folder")
    #expect(folder.content == ["file"])
    #expect(try folder.text("file") == "a regular file")
    let inProc = try Starling.run(["transcribe", Sample.dreamland, "--output", "/proc/starling"])
    expectRefusal(inProc, saying: "cannot write '/proc/starling/dreamland.txt'")
  }

  /// A tree like that of an installation, with a copy of the executable.
  private func install(_ folder: TemporaryFolder, model: String) throws -> String {
    let manager = FileManager.default
    for path in ["bin", (model as NSString).deletingLastPathComponent, "elsewhere"] {
      try manager.createDirectory(
        atPath: folder.path + "/" + path, withIntermediateDirectories: true)
    }
    try manager.createSymbolicLink(
      atPath: folder.path + "/" + model, withDestinationPath: Places.shippedModel)
    try Starling.copyExecutable(to: folder.path + "/bin/starling")
    return folder.path + "/bin/starling"
  }

  @Test(arguments: ["models/starling-en-small", "share/starling/models/starling-en-small"])
  func theShippedModelIsFoundFromAnywhere(place: String) throws {
    let folder = TemporaryFolder()
    let executable = try install(folder, model: place)
    for directory in ["/", folder.path + "/elsewhere"] {
      let result = try Starling.run(
        ["transcribe", Sample.dreamland], directory: directory, model: nil, executable: executable)
      expectSuccess(result)
      #expect(try result.output == Sample.text(Sample.dreamland) + "\n")
    }
    let linked = folder.path + "/elsewhere/asr"
    try FileManager.default.createSymbolicLink(atPath: linked, withDestinationPath: executable)
    expectSuccess(
      try Starling.run(["model", "info"], directory: "/", model: nil, executable: linked))
    // What is named wins over what is found.
    let named = try Starling.run(
      ["transcribe", Sample.dreamland], model: "/nowhere", executable: executable)
    expectRefusal(named, saying: "/nowhere/config.json", "no such file")
    let option = try Starling.run(
      ["transcribe", Sample.dreamland, "--model", Places.shippedModel], model: "/nowhere")
    expectSuccess(option)
  }

  @Test func withoutAModelTheOptionsAreNamed() throws {
    let folder = TemporaryFolder()
    let executable = try install(folder, model: "unseen/starling-en-small")
    let result = try Starling.run(
      ["transcribe", Sample.dreamland], model: nil, executable: executable)
    expectRefusal(result, saying: "no model", "--model", "STARLING_MODEL")
  }
}
