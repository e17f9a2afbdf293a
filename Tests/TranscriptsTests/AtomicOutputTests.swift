import Foundation
import Testing
import Transcripts

@Suite struct AtomicOutputTests {
  private func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }

  private func content(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
  }

  private func failure(_ path: String) -> OutputError? {
    do throws(OutputError) {
      try AtomicOutput.write("text", to: path)
      return nil
    } catch {
      #expect(error.description.split(whereSeparator: \.isNewline).count == 1)
      return error
    }
  }

  @Test func writesAndReplaces() throws {
    try withFolder { folder in
      let path = folder + "/new/deep//é 日 'x'.txt"
      try AtomicOutput.write("first\n", to: path)
      #expect(try content(path) == "first\n")
      try AtomicOutput.write("", to: path)
      #expect(try content(path) == "")
      let long = String(repeating: "naïve 😀\n", count: 300_000)
      try AtomicOutput.write(long, to: path)
      #expect(try content(path) == long)
      #expect(try names(in: folder + "/new/deep") == ["é 日 'x'.txt"])
    }
  }

  @Test func longestNames() throws {
    try withFolder { folder in
      let name = String(repeating: "n", count: 255)
      try AtomicOutput.write("x", to: folder + "/" + name)
      #expect(try names(in: folder) == [name])
      let error = failure(folder + "/" + name + "n")
      #expect(error?.reason == .system(ENAMETOOLONG))
      #expect(try names(in: folder) == [name])
    }
  }

  @Test func filesAreReadableAsAnyNewFile() throws {
    try withFolder { folder in
      try AtomicOutput.write("x", to: folder + "/ours")
      let plain = open(folder + "/plain", O_WRONLY | O_CREAT, 0o666)
      close(plain)
      let modes = try ["/ours", "/plain"].map { name in
        try FileManager.default.attributesOfItem(atPath: folder + name)[.posixPermissions] as? Int
      }
      #expect(modes[0] != nil && modes[0] == modes[1])
    }
  }

  @Test func throughARegularFile() throws {
    try withFolder { folder in
      let file = folder + "/file"
      try AtomicOutput.write("keep", to: file)
      for path in [file + "/a.txt", file + "/x/y/a.txt"] {
        let error = failure(path)
        #expect(error == OutputError(path: path, reason: .notADirectory(file)))
        #expect(error?.description == "cannot write '\(path)': '\(file)' is not a folder")
      }
      #expect(try content(file) == "keep")
      #expect(try names(in: folder) == ["file"])
    }
  }

  @Test func ontoAFolder() throws {
    try withFolder { folder in
      try FileManager.default.createDirectory(
        atPath: folder + "/a.txt", withIntermediateDirectories: true)
      #expect(failure(folder + "/a.txt")?.reason == .isADirectory)
      #expect(
        failure(folder + "/a.txt")?.description
          == "cannot write '\(folder)/a.txt': there is a folder of that name")
      #expect(try names(in: folder) == ["a.txt"])
    }
  }

  @Test func neverReplacesADevice() throws {
    let error = failure("/dev/null")
    #expect(error?.reason == .notARegularFile)
    #expect(error?.path == "/dev/null")
    let type = try FileManager.default.attributesOfItem(atPath: "/dev/null")[.type]
    #expect(type as? FileAttributeType == .typeCharacterSpecial)
  }

  /// /proc takes no new files, not even root's.
  @Test func whereNothingCanBeMade() throws {
    for path in ["/proc/a.txt", "/proc/x/a.txt"] {
      let error = try #require(failure(path))
      #expect(error.path == path)
      #expect(error.description.hasPrefix("cannot write '\(path)': "))
    }
  }

  @Test func linksAreReplacedAndLooseOnesNamed() throws {
    try withFolder { folder in
      let manager = FileManager.default
      try AtomicOutput.write("audio", to: folder + "/input")
      try manager.createSymbolicLink(
        atPath: folder + "/a.txt", withDestinationPath: folder + "/input")
      try AtomicOutput.write("text", to: folder + "/a.txt")
      #expect(try content(folder + "/input") == "audio")
      #expect(try content(folder + "/a.txt") == "text")
      try manager.createSymbolicLink(atPath: folder + "/loose", withDestinationPath: "/nowhere/x")
      #expect(failure(folder + "/loose/a.txt")?.reason == .notADirectory(folder + "/loose"))
      #expect(failure(folder + "/loose/b/a.txt")?.reason == .notADirectory(folder + "/loose"))
      #expect(failure(folder + "/none/")?.reason == .notADirectory(folder + "/none/"))
      #expect(try names(in: folder) == ["a.txt", "input", "loose"])
    }
  }

  @Test func manyWritersInOneNewFolder() async throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("starling-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for index in 0..<16 {
        group.addTask { try AtomicOutput.write("\(index)", to: "\(folder)/a/b/\(index % 4).txt") }
      }
      try await group.waitForAll()
    }
    #expect(try names(in: folder + "/a/b") == ["0.txt", "1.txt", "2.txt", "3.txt"])
  }

  @Test(arguments: [
    (OutputError.Reason.permissionDenied, "permission denied"),
    (.noSpace, "no space left on the device, or the quota is used up"),
    (.readOnlyFileSystem, "the file system is read-only"),
    (.notARegularFile, "it exists and is not a regular file"),
    (.system(EIO), "Input/output error"),
  ])
  func messages(reason: OutputError.Reason, text: String) {
    let error = OutputError(path: "a\nb", reason: reason)
    #expect(error.description == "cannot write 'a\u{FFFD}b': \(text)")
  }
}
