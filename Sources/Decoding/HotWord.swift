import Foundation

/// A phrase that a user expects to hear.
public struct HotWord: Hashable, Sendable {
  public var phrase: String
  /// What the phrase earns for each of its tokens, in nats; nil for the default.
  public var boost: Double?
  /// Where the phrase was found, for messages: `names.txt, line 3`.
  public var place: String?

  public init(_ phrase: String, boost: Double? = nil, place: String? = nil) {
    self.phrase = phrase
    self.boost = boost
    self.place = place
  }

  /// The longest file that `read` takes, in bytes.
  private static let sizeLimit = 1 << 24

  /// Reads a file of a phrase a line, optionally a tab and its boost. Blank lines and lines that
  /// begin with # are left out.
  public static func read(contentsOf path: String) throws(HotWordError) -> [HotWord] {
    guard let handle = FileHandle(forReadingAtPath: path),
      let data = try? handle.read(upToCount: sizeLimit + 1) ?? Data()
    else {
      throw HotWordError(place: path, reason: "cannot be read; it lists a hot word a line")
    }
    guard data.count <= sizeLimit else {
      throw HotWordError(place: path, reason: "is longer than \(sizeLimit >> 20) MiB")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw HotWordError(place: path, reason: "is not UTF-8 text")
    }
    var words: [HotWord] = []
    // Scalars, for as a Character a line feed after a carriage return is no line feed.
    for (index, line) in text.unicodeScalars
      .split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let line = String(line).trimmingCharacters(in: ["\r", "\u{FEFF}"])
      let place = "\(path), line \(index + 1)"
      if let word = try parse(line, place: place) { words.append(word) }
      guard words.count <= HotWords.phraseLimit else {
        throw HotWordError(
          place: place, reason: "more than \(HotWords.phraseLimit) hot words; list fewer")
      }
    }
    return words
  }

  private static func parse(_ line: String, place: String) throws(HotWordError) -> HotWord? {
    let isBlank = line.allSatisfy { $0 == " " || $0 == "\t" }
    if line.first == "#" || (isBlank && !line.contains("\t")) { return nil }
    let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
    guard fields.count <= 2 else {
      throw HotWordError(
        place: place, reason: "expected a phrase, optionally a tab and a boost, found '\(line)'")
    }
    guard fields.count == 2 else { return HotWord(line, place: place) }
    guard let boost = Double(fields[1].filter { $0 != " " }) else {
      throw HotWordError(place: place, reason: "the boost '\(fields[1])' is not a number")
    }
    return HotWord(String(fields[0]), boost: boost, place: place)
  }
}
