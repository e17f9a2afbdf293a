import Foundation
import TestSupport

/// The Python that the checks against other people's tools run in.
enum Python {
  /// CI's virtual environment, else the system's.
  private static let executable: String = {
    let own = Places.package + "/.venv/bin/python"
    return FileManager.default.isExecutableFile(atPath: own) ? own : "python3"
  }()

  static func has(_ module: String) -> Bool {
    (try? run("import \(module)")) != nil
  }

  /// Runs a program and returns what it prints.
  ///
  /// - Parameter input: what it reads.
  static func run(_ program: String, input: String = "") throws -> String {
    let folder = Places.temporaryFolder()
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try program.write(toFile: folder + "/program.py", atomically: true, encoding: .utf8)
    try input.write(toFile: folder + "/input", atomically: true, encoding: .utf8)
    return try Command.run([executable, folder + "/program.py"], input: folder + "/input")
  }
}

/// Other people's programs.
enum Command {
  struct Failure: Error, CustomStringConvertible { let description: String }

  static func exists(_ name: String) -> Bool {
    (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").contains {
      FileManager.default.isExecutableFile(atPath: "\($0)/\(name)")
    }
  }

  /// - Parameter input: a file for standard input.
  static func run(_ words: [String], input: String = "/dev/null") throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    process.standardInput = FileHandle(forReadingAtPath: input)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(
        description: "\(words.joined(separator: " ")): exit code \(process.terminationStatus)")
    }
    return String(decoding: data, as: UTF8.self)
  }
}
