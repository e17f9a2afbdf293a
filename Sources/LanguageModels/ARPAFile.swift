import CZlib
import Decoding
import Foundation

extension NGramModel {
  /// Reads an ARPA file, through gunzip if it is compressed.
  public init(contentsOf path: String) throws(LanguageModelError) {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
      throw LanguageModelError(file: path, reason: "no such file")
    }
    if isDirectory.boolValue {
      throw LanguageModelError(file: path, reason: "is a folder; name an ARPA file")
    }
    guard let handle = gzopen(path, "rb") else {
      throw LanguageModelError(file: path, reason: String(cString: strerror(errno)))
    }
    defer { gzclose(handle) }
    let size = 1 << 17
    gzbuffer(handle, UInt32(size))
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
    defer { buffer.deallocate() }
    var parser = ARPAParser(file: path)
    while true {
      let count = Int(gzread(handle, buffer.baseAddress, UInt32(size)))
      if count > 0 { try parser.accept(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
      if count < size {
        try Self.checkEnd(handle, path)
        break
      }
    }
    self = try parser.finish()
  }

  /// Tells the end of the file from a failure, after a short read.
  private static func checkEnd(_ handle: gzFile, _ path: String) throws(LanguageModelError) {
    var code: Int32 = 0
    let message = gzerror(handle, &code).map { String(cString: $0) } ?? ""
    switch code {
    case Z_OK, Z_STREAM_END:
      return
    case Z_BUF_ERROR:
      throw LanguageModelError(file: path, reason: "the gzip data is cut short; fetch it again")
    case Z_ERRNO:
      throw LanguageModelError(file: path, reason: String(cString: strerror(errno)))
    default:
      throw LanguageModelError(
        file: path, reason: "the gzip data is damaged (\(message)); fetch it again")
    }
  }
}
