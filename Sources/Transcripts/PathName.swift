import Foundation

/// Takes paths apart byte by byte: to a `String`, a slash with an accent after it is no slash.
enum PathName {
  /// The part after the last slash, slashes at the end left out: `a/b.wav` → `b.wav`.
  static func last(_ path: String) -> String {
    path.utf8.split(separator: UInt8(ascii: "/")).last.map { String($0) ?? "" } ?? path
  }

  /// The last part without its extension: `a/b.c.wav` → `b.c`, `.wav` → `.wav`, `-` → `stdin`.
  static func stem(_ path: String) -> String {
    guard path != "-" else { return "stdin" }
    let name = last(path)
    let bytes = name.utf8
    guard let dot = bytes.lastIndex(of: UInt8(ascii: ".")),
      dot > bytes.startIndex, bytes.index(after: dot) < bytes.endIndex
    else { return name }
    return String(bytes[..<dot]) ?? name
  }

  /// `folder/name`; an empty folder is the current one.
  static func join(_ folder: String, _ name: String) -> String {
    folder.isEmpty || folder.utf8.last == UInt8(ascii: "/") ? folder + name : folder + "/" + name
  }

  /// Everything before the last slash, as it was written; empty where there is none.
  static func folder(_ path: String) -> String {
    var bytes = path.utf8[...]
    let slash = UInt8(ascii: "/")
    while bytes.count > 1, bytes.last == slash { bytes.removeLast() }
    guard let cut = bytes.lastIndex(of: slash) else { return "" }
    return cut == bytes.startIndex ? "/" : String(bytes[..<cut]) ?? ""
  }

  /// The parts of the path from the root folder, `.` and `..` worked out by name alone.
  static func absoluteParts(_ path: String) -> [String] {
    let rooted = path.utf8.first == UInt8(ascii: "/")
    let full = rooted ? path : FileManager.default.currentDirectoryPath + "/" + path
    var parts: [String] = []
    for bytes in full.utf8.split(separator: UInt8(ascii: "/")) {
      let part = String(bytes) ?? ""
      switch part {
      case ".": break
      case "..": _ = parts.popLast()
      default: parts.append(part)
      }
    }
    return parts
  }

  /// The same for every spelling of one place: links in the folders followed, not the last part,
  /// because a file put there by renaming replaces a link and never what it points to.
  static func identity(_ path: String) -> String {
    let written = folder(path)
    if let real = realPath(written.isEmpty ? "." : written) {
      return join(real, last(path))
    }
    // The folder is still to be made: find the part of it that is there.
    var there = absoluteParts(path)[...]
    var missing: [String] = []
    while let part = there.popLast() {
      missing.insert(part, at: 0)
      if let real = realPath("/" + there.joined(separator: "/")) {
        return join(real, missing.joined(separator: "/"))
      }
    }
    return "/" + missing.joined(separator: "/")
  }

  /// For a message of one line: in quotes, line ends and other control characters replaced.
  static func quoted(_ path: String) -> String {
    let scalars = path.unicodeScalars.map { scalar in
      let breaks = scalar.properties.generalCategory == .control || scalar == "\u{2028}"
      return breaks || scalar == "\u{2029}" ? "\u{FFFD}" : Character(scalar)
    }
    return "'" + String(scalars) + "'"
  }

  private static func realPath(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    return String(cString: real)
  }
}
