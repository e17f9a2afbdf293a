import CZlib
import Foundation

/// gzip through zlib, by way of a file.
func gzipped(_ data: Data) throws -> Data {
  let path = temporaryPath("gz")
  defer { try? FileManager.default.removeItem(atPath: path) }
  let file = gzopen(path, "wb")
  _ = data.withUnsafeBytes { gzwrite(file, $0.baseAddress, UInt32($0.count)) }
  gzclose(file)
  return try Data(contentsOf: URL(fileURLWithPath: path))
}

/// A path in the temporary folder that nobody uses.
func temporaryPath(_ suffix: String) -> String {
  FileManager.default.temporaryDirectory
    .appendingPathComponent("starling-\(UUID().uuidString).\(suffix)").path
}

/// Runs `body` with the path of a file that holds `data`.
func withFile<Result>(_ data: Data, _ body: (String) throws -> Result) throws -> Result {
  let path = temporaryPath("nemo")
  try data.write(to: URL(fileURLWithPath: path))
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try body(path)
}
