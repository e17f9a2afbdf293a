import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite struct TarArchiveTests {
  private let small = TarWriter.archive([
    ("./a/b.txt", Data("hello".utf8)), ("c", Data(count: 512)), ("empty", Data()),
  ])

  private func read(_ data: Data, limit: Int = 1 << 20) throws -> TarArchive {
    try withFile(data) { try TarArchive(path: $0, limit: limit) { _ in true } }
  }

  private func message(_ data: Data, limit: Int = 1 << 20) -> String? {
    do {
      _ = try read(data, limit: limit)
      return nil
    } catch {
      return "\(error)".components(separatedBy: ".nemo: ").last
    }
  }

  @Test func readsPlainAndCompressed() throws {
    for data in [small, try gzipped(small)] {
      let archive = try read(data)
      #expect(archive.members.map(\.name) == ["a/b.txt", "c", "empty"])
      #expect(archive.data("a/b.txt") == Data("hello".utf8))
      #expect(archive.data("c") == Data(count: 512))
      #expect(archive.data("empty") == Data())
      #expect(archive.data("nothing") == nil)
    }
  }

  @Test func keepsOnlyWhatIsAskedFor() throws {
    let archive = try withFile(small) { try TarArchive(path: $0) { $0 == "c" } }
    #expect(archive.members.map(\.size) == [5, 512, 0])
    #expect(archive.data("a/b.txt") == nil)
    #expect(archive.data("c")?.count == 512)
  }

  @Test func readsLongNamesPrefixesAndFolders() throws {
    let long = String(repeating: "d/", count: 80) + "f"
    let record = " path=x/pax.txt\n"
    let data =
      TarWriter.member("./", Data(), type: "5")
      + TarWriter.member("pax_global_header", Data("11 a=bcdef\n".utf8), type: "g")
      + TarWriter.member("././@LongLink", Data((long + "\0").utf8), type: "L")
      + TarWriter.member("cut", Data("1".utf8))
      + TarWriter.member("PaxHeader", Data("\(record.utf8.count + 2)\(record)".utf8), type: "x")
      + TarWriter.member("cut", Data("2".utf8))
      + TarWriter.header("name", size: 0, prefix: "folder") + Data(count: 1024)
    let archive = try read(data)
    #expect(archive.members.map(\.name) == [long, "x/pax.txt", "folder/name"])
    #expect(archive.data(long) == Data("1".utf8))
  }

  @Test func refusesEveryTruncation() throws {
    for data in [small, try gzipped(small)] {
      for count in [data.count / 4, data.count / 2, data.count - 1025] where count > 0 {
        #expect(message(data.prefix(count)) != nil, "\(count) of \(data.count) bytes")
      }
    }
    #expect(
      message(small.prefix(1500)) == "the archive ends early; fetch the file again")
    let noEnd = small.prefix(small.count - 1024)
    #expect(message(noEnd) == "the archive ends early; fetch the file again")
    #expect(message(Data()) == "the file is empty")
  }

  @Test func refusesWhatIsNoTar() {
    #expect(message(Data(repeating: 65, count: 2000)) == "not a tar archive, so not a .nemo file")
    #expect(message(Data("short".utf8)) == "not a tar archive, so not a .nemo file")
    var damaged = small
    damaged[1024] ^= 1
    #expect(message(damaged) == "a tar header is damaged; fetch the file again")
  }

  @Test func refusesDamagedGzip() throws {
    var data = try gzipped(small)
    data[data.count - 6] ^= 0xFF  // its checksum
    #expect(message(data) == "the gzip data is damaged (incorrect data check); fetch it again")
  }

  @Test(arguments: ["/etc/passwd", "../x", "a/../../x", "./", ".."])
  func refusesPathTricks(name: String) {
    let data = TarWriter.archive([(name, Data("x".utf8))])
    #expect(message(data) == "the member name '\(name)' leaves the archive; refused")
  }

  @Test func refusesDuplicatesAndExcess() {
    let twice = TarWriter.archive([("a", Data()), ("./a", Data())])
    #expect(message(twice) == "two members are named 'a'")
    #expect(message(small, limit: 100) == "the members hold more than 100 bytes")
    let huge = TarWriter.header("a", size: 1 << 32) + Data(count: 512)
    #expect(message(huge) == "the members hold more than 1048576 bytes")
    let promised = TarWriter.header("a", size: 1 << 19) + Data(count: 512)
    #expect(message(promised) == "the archive ends early; fetch the file again")
    #expect(
      message(TarWriter.member("a", Data(), type: "S"))
        == "a tar member of unknown type 83, named 'a'")
  }

  @Test func mutationsNeverTrap() {
    let record = "14 path=x/pax\n"
    let archive =
      TarWriter.member("././@LongLink", Data("long\0".utf8), type: "L")
      + TarWriter.member("a", Data("1".utf8))
      + TarWriter.member("PaxHeader", Data(record.utf8), type: "x") + small
    var random = SeededGenerator(seed: 2)
    for _ in 0..<200 {
      _ = try? read(Data(mutate([UInt8](archive), with: &random)))
      // Damaged records under a right header.
      let records = Data(mutate([UInt8](record.utf8), with: &random))
      _ = try? read(TarWriter.member("PaxHeader", records, type: "x") + small)
    }
  }

  @Test func namesMissingFilesAndFolders() {
    #expect(throws: CheckpointError.unreadable(file: "/no/such.nemo", reason: "no such file")) {
      try TarArchive(path: "/no/such.nemo") { _ in true }
    }
    #expect(throws: CheckpointError.self) { try TarArchive(path: "/tmp") { _ in true } }
  }
}
