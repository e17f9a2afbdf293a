import Foundation
import Testing
import Transcripts

@Suite struct OutputPlanTests {
  private func outputs(
    _ inputs: [(String, String?)], to destination: OutputPlan.Destination,
    format: TranscriptFormat = .text
  ) throws -> [String?] {
    let plan = try OutputPlan(
      inputs: inputs.map { OutputPlan.Input(path: $0, root: $1) }, destination: destination,
      format: format)
    #expect(plan.entries.map(\.input.path) == inputs.map(\.0))
    return plan.entries.map(\.output)
  }

  private func files(_ paths: String...) -> [(String, String?)] {
    paths.map { ($0, nil) }
  }

  @Test func standardOutput() throws {
    #expect(try outputs(files("a.wav", "a.wav", "-"), to: .standardOutput) == [nil, nil, nil])
  }

  @Test func besideInputs() throws {
    #expect(
      try outputs(files("x/a.wav", "b.tar.flac", "/t/c", "-", "../d.wav", "./-"), to: .besideInputs)
        == ["x/a.txt", "b.tar.txt", "/t/c.txt", "stdin.txt", "../d.txt", "./-.txt"])
    #expect(try outputs([("D/x/a.wav", "D")], to: .besideInputs) == ["D/x/a.txt"])
    #expect(try outputs(files("a.wav"), to: .besideInputs, format: .vtt) == ["a.vtt"])
  }

  @Test func keepsTheFoldersUnderTheRoot() throws {
    #expect(
      try outputs(
        [
          ("DIR/a/b.wav", "DIR"), ("DIR/a.wav", "DIR/"), ("./E/x/../y/c.wav", "E"),
          ("far/d.wav", nil), ("-", nil), ("../up/q/e.wav", "../up"), ("/r/s/f.wav", "/"),
        ], to: .folder("OUT"))
        == [
          "OUT/a/b.txt", "OUT/a.txt", "OUT/y/c.txt", "OUT/d.txt", "OUT/stdin.txt", "OUT/q/e.txt",
          "OUT/r/s/f.txt",
        ])
    #expect(try outputs([("DIRECTORY/a.wav", "DIR")], to: .folder("OUT/")) == ["OUT/a.txt"])
    #expect(try outputs([("sub/a.wav", ".")], to: .folder("/out")) == ["/out/sub/a.txt"])
    #expect(try outputs([("a.wav", "a.wav")], to: .folder("")) == ["a.txt"])
  }

  @Test func collisionsTakeTheFullName() throws {
    #expect(
      try outputs(files("a.wav", "a.flac", "b.wav"), to: .folder("O"))
        == ["O/a.wav.txt", "O/a.flac.txt", "O/b.txt"])
    #expect(
      try outputs(files("x/a.wav", "y/a.flac"), to: .folder("O"))
        == ["O/a.wav.txt", "O/a.flac.txt"])
    #expect(
      try outputs(files("x/a.wav", "./x/a.mp3"), to: .besideInputs)
        == ["x/a.wav.txt", "./x/a.mp3.txt"])
    #expect(
      try outputs(files("stdin.wav", "-"), to: .besideInputs) == ["stdin.wav.txt", "stdin.txt"])
    // A full name can meet the short name of a third file, which then gives way too.
    #expect(
      try outputs(files("a.wav", "a.flac", "a.wav.ogg"), to: .folder("O"))
        == ["O/a.wav.txt", "O/a.flac.txt", "O/a.wav.ogg.txt"])
    #expect(try outputs(files("a.wav", "A.wav"), to: .folder("O")) == ["O/a.txt", "O/A.txt"])
  }

  @Test func lastingCollisionsNameBoth() throws {
    #expect(
      throws: OutputPlanError.collision("x/a.wav", "y/a.wav", output: "O/a.wav.txt")
    ) { try outputs(files("b.wav", "x/a.wav", "y/a.wav"), to: .folder("O")) }
    #expect(
      throws: OutputPlanError.collision("D/a.wav", "E/a.wav", output: "O/a.wav.txt")
    ) { try outputs([("D/a.wav", "D"), ("E/a.wav", "E")], to: .folder("O")) }
    #expect(
      throws: OutputPlanError.collision("a.wav", "./a.wav", output: "a.wav.txt")
    ) { try outputs(files("a.wav", "./a.wav"), to: .besideInputs) }
    let twice = OutputPlanError.collision("a.wav", "a.wav", output: "a.wav.txt")
    #expect(throws: twice) { try outputs(files("a.wav", "a.wav"), to: .besideInputs) }
    #expect(
      twice.description
        == "'a.wav' is given twice, and both transcripts would be 'a.wav.txt'; give it once")
  }

  @Test func inputsAreNeverOverwritten() throws {
    #expect(throws: OutputPlanError.overwritesInput("a.txt", transcriptOf: "a.txt")) {
      try outputs(files("a.txt"), to: .besideInputs)
    }
    #expect(throws: OutputPlanError.overwritesInput("./O/../O/a.txt", transcriptOf: "a.wav")) {
      try outputs([("a.wav", nil), ("./O/../O/a.txt", ".")], to: .folder("O"))
    }
    try withFolder { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/real", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/link", withDestinationPath: folder + "/real")
      let input = folder + "/real/a.txt"
      #expect(throws: OutputPlanError.overwritesInput(input, transcriptOf: input)) {
        try outputs(files(input), to: .folder(folder + "/link"))
      }
    }
  }

  @Test func collisionsThroughLinksAreSeen() throws {
    try withFolder { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/real", withIntermediateDirectories: true)
      try FileManager.default.createSymbolicLink(
        atPath: folder + "/link", withDestinationPath: folder + "/real")
      let inputs = files(folder + "/real/a.wav", folder + "/link/a.flac")
      #expect(
        try outputs(inputs, to: .besideInputs)
          == [folder + "/real/a.wav.txt", folder + "/link/a.flac.txt"])
    }
  }

  @Test func oddNames() throws {
    #expect(
      try outputs(
        files("x/ a b .wav", "日本.wav", ".wav", "x/\u{301}y.wav", "n\nl.wav"), to: .folder("O"))
        == ["O/ a b .txt", "O/日本.txt", "O/.wav.txt", "O/\u{301}y.txt", "O/n\nl.txt"])
    let error = OutputPlanError.overwritesInput("a\nb", transcriptOf: "c\u{1B}[2J")
    #expect(error.description.split(whereSeparator: \.isNewline).count == 1)
    #expect(!error.description.unicodeScalars.contains("\u{1B}"))
  }

  @Test func doneWhenNotOlderThanTheInput() throws {
    try withFolder { folder in
      let input = folder + "/a.wav"
      let output = folder + "/a.txt"
      func touch(_ path: String, at seconds: Double) throws {
        if !FileManager.default.fileExists(atPath: path) {
          try Data().write(to: URL(filePath: path))
        }
        try FileManager.default.setAttributes(
          [.modificationDate: Date(timeIntervalSince1970: seconds)], ofItemAtPath: path)
      }
      #expect(!OutputPlan.isDone(input: input, output: output))
      try touch(input, at: 1000.25)
      #expect(!OutputPlan.isDone(input: input, output: output))
      try touch(output, at: 1000.25)
      #expect(OutputPlan.isDone(input: input, output: output))
      try touch(output, at: 1000.125)
      #expect(!OutputPlan.isDone(input: input, output: output))
      try touch(output, at: 1001)
      #expect(OutputPlan.isDone(input: input, output: output))
      #expect(!OutputPlan.isDone(input: "-", output: output))
      #expect(!OutputPlan.isDone(input: folder + "/gone.wav", output: output))
      #expect(!OutputPlan.isDone(input: input, output: folder))
      #expect(!OutputPlan.isDone(input: input, output: "/dev/null"))
    }
  }
}
