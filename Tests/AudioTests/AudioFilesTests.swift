import Audio
import Foundation
import Testing

@Suite struct AudioFilesTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func foldersAreListedRecursivelyAndSorted() throws {
    let expected = ["B.FLAC", "a.wav", "sub/d.mp3", "sub/deep/c.opus"]
    for name in expected + ["notes.txt", ".hidden.wav", ".git/e.wav", "wav", "sub/.wav"] {
      _ = try folder.write(name, [1])
    }
    let files = FileManager.default
    try files.createSymbolicLink(
      atPath: folder.path + "/sub/circle", withDestinationPath: folder.path)
    try files.createSymbolicLink(
      atPath: folder.path + "/z.wav", withDestinationPath: folder.path + "/a.wav")
    try files.createSymbolicLink(atPath: folder.path + "/broken.wav", withDestinationPath: "/no")
    try files.createDirectory(
      atPath: folder.path + "/folder.wav", withIntermediateDirectories: false)
    let all = (expected + ["z.wav"]).map { folder.path + "/" + $0 }
    #expect(try AudioFiles.list(folder: folder.path) == all)
    #expect(try AudioFiles.list(folder: folder.path + "/").count == all.count)
    // A file that is named is taken whatever it is called.
    let notes = folder.path + "/notes.txt"
    #expect(try AudioFiles.expand([notes, folder.path, notes]) == [notes] + all + [notes])
  }

  @Test func whatIsNotThereIsTold() throws {
    _ = try folder.write("sub/notes.txt", [1])
    #expect(throws: AudioError.noAudioFiles(folder: folder.path)) {
      try AudioFiles.list(folder: folder.path)
    }
    let missing = folder.path + "/missing"
    #expect(throws: AudioError.fileNotFound(file: missing)) { try AudioFiles.expand([missing]) }
    #expect(throws: AudioError.fileNotFound(file: missing)) { try AudioFiles.list(folder: missing) }
  }

  @Test func extensions() {
    #expect(AudioFiles.hasAudioExtension("/a/b.WAV"))
    #expect(AudioFiles.hasAudioExtension("b.tar.opus"))
    for name in ["wav", ".wav", "a.txt", "", "a.wav/b", "a."] {
      #expect(!AudioFiles.hasAudioExtension(name))
    }
  }
}
