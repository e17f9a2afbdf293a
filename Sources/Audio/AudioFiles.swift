import Glibc

/// Finds the audio files that a command line means.
public enum AudioFiles {
  /// What is taken for audio in a folder, lower case: formats that libsndfile reads.
  public static let extensions: Set<String> = [
    "wav", "wave", "flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "aifc", "au", "snd", "caf",
    "w64", "rf64", "sph", "nist", "gsm",
  ]

  /// Files as they are given, whatever they are called, and in the place of each folder the audio
  /// files anywhere below it, sorted. Hidden files and folders are left out, and linked folders are
  /// not followed, since they can run in circles.
  /// - Throws: `noAudioFiles` for a folder without any, `fileNotFound`, `permissionDenied`,
  ///   `readFailed`.
  public static func expand(_ paths: [String]) throws(AudioError) -> [String] {
    var files: [String] = []
    for path in paths {
      if try kind(of: path, followingLinks: true) == S_IFDIR {
        files += try list(folder: path)
      } else {
        files.append(path)
      }
    }
    return files
  }

  /// The audio files anywhere below a folder, as `expand`.
  public static func list(folder: String) throws(AudioError) -> [String] {
    var files: [String] = []
    try collect(folder, into: &files)
    if files.isEmpty { throw .noAudioFiles(folder: folder) }
    return files.sorted()
  }

  /// Whether the name ends in one of `extensions`.
  public static func hasAudioExtension(_ path: String) -> Bool {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return false }
    return extensions.contains(name[name.index(after: dot)...].lowercased())
  }

  private static func collect(_ folder: String, into files: inout [String]) throws(AudioError) {
    // All names first: the folder is closed again before those in it are opened.
    for name in try names(in: folder) where !name.hasPrefix(".") {
      let path = folder.hasSuffix("/") ? folder + name : folder + "/" + name
      if try kind(of: path, followingLinks: false) == S_IFDIR {
        try collect(path, into: &files)
      } else if hasAudioExtension(name), isFile(path) {
        files.append(path)
      }
    }
  }

  private static func names(in folder: String) throws(AudioError) -> [String] {
    guard let stream = opendir(folder) else { throw FileDescriptor.error(errno, name: folder) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      names.append(name)
    }
    return names
  }

  /// A link that leads nowhere, or to a folder, is no file.
  private static func isFile(_ path: String) -> Bool {
    (try? kind(of: path, followingLinks: true)).map { $0 != S_IFDIR } ?? false
  }

  private static func kind(of path: String, followingLinks: Bool) throws(AudioError) -> mode_t {
    var status = stat()
    let result = followingLinks ? stat(path, &status) : lstat(path, &status)
    if result != 0 { throw FileDescriptor.error(errno, name: path) }
    return status.st_mode & S_IFMT
  }
}
