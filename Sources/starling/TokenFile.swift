import Foundation

/// A file that holds the text by which clients and server know each other.
enum TokenFile {
  struct Fault: Error, CustomStringConvertible {
    let file: String
    let reason: String
    var description: String { "'\(file)': \(reason)" }
  }

  static func read(_ path: String) throws(Fault) -> String {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw Fault(file: path, reason: "cannot be read")
    }
    let token = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard token.utf8.count >= 16 else {
      throw Fault(file: path, reason: "expected a token of at least 16 characters")
    }
    return token
  }
}
