import CZlib
public import Foundation

/// Writes tar archives, right ones and, through `header`, wrong ones.
public enum TarWriter {
  public static func archive(_ members: [(name: String, data: Data)]) -> Data {
    var archive = Data()
    for (name, data) in members { archive += member(name, data) }
    return archive + Data(count: 1024)
  }

  public static func member(_ name: String, _ data: Data, type: Character = "0") -> Data {
    header(name, size: data.count, type: type) + data + Data(count: (512 - data.count % 512) % 512)
  }

  public static func header(
    _ name: String, size: Int, type: Character = "0", prefix: String = ""
  ) -> Data {
    var block = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      block.replaceSubrange(offset..<offset + text.utf8.count, with: Array(text.utf8))
    }
    put(String(name.prefix(100)), at: 0)
    put("0000644", at: 100)
    put(octal(size, digits: 11), at: 124)
    put("        ", at: 148)
    put(String(type), at: 156)
    put("ustar\0" + "00", at: 257)
    put(prefix, at: 345)
    put(octal(block.reduce(0) { $0 + Int($1) }, digits: 6) + "\0 ", at: 148)
    return Data(block)
  }

  private static func octal(_ value: Int, digits: Int) -> String {
    let text = String(value, radix: 8)
    return String(repeating: "0", count: digits - text.count) + text
  }
}

/// Writes zip archives of stored members.
public enum ZipWriter {
  public static func archive(_ members: [(name: String, data: Data)], method: Int = 0) -> Data {
    var archive = Data()
    var directory = Data()
    for (name, data) in members {
      let checksum = data.withUnsafeBytes {
        Int(crc32_z(0, $0.bindMemory(to: UInt8.self).baseAddress, $0.count))
      }
      let common =
        little(0, 2) + little(method, 2) + little(0, 4) + little(checksum, 4)
        + little(data.count, 4) + little(data.count, 4) + little(name.utf8.count, 2)
      directory += little(0x0201_4b50, 4) + little(20, 2) + little(20, 2) + common
      directory += little(0, 2) + little(0, 2) + little(0, 2) + little(0, 2) + little(0, 4)
      directory += little(archive.count, 4) + Data(name.utf8)
      archive += little(0x0403_4b50, 4) + little(20, 2) + common + little(0, 2) + Data(name.utf8)
      archive += data
    }
    let end =
      little(0x0605_4b50, 4) + little(0, 4) + little(members.count, 2) + little(members.count, 2)
      + little(directory.count, 4) + little(archive.count, 4) + little(0, 2)
    return archive + directory + end
  }

  public static func little(_ value: Int, _ width: Int) -> Data {
    Data((0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
  }
}
