import Checkpoints
import Foundation
import TestSupport
import Testing

@Suite struct ZipArchiveTests {
  private let members = [
    (name: "m/data.pkl", data: Data("pickle".utf8)), (name: "m/data/0", data: Data(count: 9)),
    (name: "m/none", data: Data()),
  ]

  private func message(_ body: () throws -> Void) -> String? {
    do {
      try body()
      return nil
    } catch { return "\(error)" }
  }

  @Test func readsStoredMembersFromASlice() throws {
    let archive = Data("xyz".utf8) + ZipWriter.archive(members)
    let zip = try ZipArchive(archive.dropFirst(3), source: "z")
    #expect(zip.names == members.map(\.name))
    for (name, data) in members { #expect(try zip.member(name) == data) }
    #expect(throws: CheckpointError.self) { try zip.member("m/data/1") }
  }

  @Test func findsTheDirectoryBeforeAComment() throws {
    var archive = ZipWriter.archive(members)
    archive.replaceSubrange(archive.count - 2..<archive.count, with: ZipWriter.little(4, 2))
    let zip = try ZipArchive(archive + Data("note".utf8), source: "z")
    #expect(zip.names.count == 3)
  }

  @Test func readsZip64() throws {
    // The directory of one member whose sizes and offset stand in the zip64 extra field.
    let data = Data("sixty-four".utf8)
    let plain = ZipWriter.archive([("a", data)])
    let local = plain.prefix(30 + 1 + data.count)
    var entry = Data(plain[local.count..<local.count + 46])
    entry.replaceSubrange(20..<28, with: Data(repeating: 0xFF, count: 8))
    entry.replaceSubrange(30..<32, with: ZipWriter.little(28, 2))
    entry.replaceSubrange(42..<46, with: Data(repeating: 0xFF, count: 4))
    entry += Data("a".utf8) + ZipWriter.little(1, 2) + ZipWriter.little(24, 2)
    entry += ZipWriter.little(data.count, 8) + ZipWriter.little(data.count, 8)
    entry += ZipWriter.little(0, 8)
    let record =
      ZipWriter.little(0x0606_4b50, 4) + ZipWriter.little(44, 8) + Data(count: 12)
      + ZipWriter.little(1, 8) + ZipWriter.little(1, 8) + ZipWriter.little(entry.count, 8)
      + ZipWriter.little(local.count, 8)
    let locator =
      ZipWriter.little(0x0706_4b50, 4) + Data(count: 4)
      + ZipWriter.little(local.count + entry.count, 8) + ZipWriter.little(1, 4)
    let end =
      ZipWriter.little(0x0605_4b50, 4) + Data(count: 4) + Data(repeating: 0xFF, count: 12)
      + Data(count: 2)
    let zip = try ZipArchive(local + entry + record + locator + end, source: "z")
    #expect(try zip.member("a") == data)
  }

  @Test func refusesCompressedMembers() throws {
    let zip = try ZipArchive(ZipWriter.archive(members, method: 8), source: "z")
    #expect(
      message { _ = try zip.member("m/data.pkl") }
        == "z: as a zip archive, its member 'm/data.pkl' is compressed; torch.save stores members "
        + "as they are, so save it again with torch")
  }

  @Test func refusesDamage() throws {
    var archive = ZipWriter.archive(members)
    archive[40] ^= 1  // in "pickle"
    let zip = try ZipArchive(archive, source: "z")
    #expect(
      message { _ = try zip.member("m/data.pkl") }
        == "z: as a zip archive, the bytes of its member 'm/data.pkl' are damaged; fetch the file "
        + "again")
    #expect(throws: CheckpointError.self) { try ZipArchive(Data(), source: "z") }
    #expect(throws: CheckpointError.self) { try ZipArchive(Data("hello".utf8), source: "z") }
    let twice = ZipWriter.archive([("a", Data()), ("a", Data())])
    #expect(throws: CheckpointError.self) { try ZipArchive(twice, source: "z") }
  }

  @Test func everyTruncationAndManyMutationsEndInAnError() throws {
    let archive = ZipWriter.archive(members)
    for count in 0..<archive.count {
      #expect(throws: CheckpointError.self) {
        try ZipArchive(archive.prefix(count), source: "z")
      }
    }
    var random = SeededGenerator(seed: 11)
    for _ in 0..<2000 {
      let mutated = Data(mutate([UInt8](archive), with: &random))
      // Only the absence of traps counts: some mutations leave a valid archive.
      if let zip = try? ZipArchive(mutated, source: "z") {
        for name in zip.names { _ = try? zip.member(name) }
      }
    }
  }
}
