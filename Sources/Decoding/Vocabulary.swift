import Foundation

/// What is wrong with a `tokens.txt`.
public struct VocabularyError: Error, Equatable, CustomStringConvertible {
  public let file: String
  public let line: Int?
  public let reason: String

  public var description: String {
    line.map { "\(file), line \($0): \(reason)" } ?? "\(file): \(reason)"
  }
}

/// The text pieces of a model, by class.
public struct Vocabulary: Sendable {
  /// Marks the start of a word in a piece, as SentencePiece writes it.
  public static let wordStart: Unicode.Scalar = "▁"

  /// Classes, blank included.
  public let count: Int
  public let blank: Int
  /// The file that it was read from, for messages; nil if it was not.
  public let file: String?
  /// Piece of each class; empty for the blank.
  private let pieces: [String]
  /// Whether each piece starts a word.
  private let starts: [Bool]
  /// Log-probability of each piece, in nats; nil where the vocabulary states none.
  private let logProbs: [Float?]

  /// - Parameters:
  ///   - pieces: those of all classes but the blank, in order of class.
  ///   - logProbs: the probability that the tokenizer gives each piece, in nats.
  ///   - file: where the pieces come from, for messages.
  public init(pieces: [String], logProbs: [Float?]? = nil, blank: Int, file: String? = nil) {
    precondition((0...pieces.count).contains(blank))
    precondition(logProbs.map { $0.count == pieces.count } ?? true)
    var logProbs = logProbs ?? pieces.map { _ in nil }
    logProbs.insert(nil, at: blank)
    self.logProbs = logProbs
    var all = pieces
    all.insert("", at: blank)
    // By scalars: as a Character, the mark is another one when a combining mark follows it.
    starts = all.map { $0.unicodeScalars.first == Self.wordStart }
    self.pieces = all.map { String($0.unicodeScalars.drop(while: { $0 == Self.wordStart })) }
    self.blank = blank
    self.file = file
    count = all.count
  }

  /// Reads a `tokens.txt`: a piece a line, optionally a tab and its log-probability.
  ///
  /// - Parameter classes: classes of the CTC head, blank included.
  public init(contentsOf path: String, classes: Int, blank: Int) throws(VocabularyError) {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw VocabularyError(
        file: path, line: nil, reason: "cannot be read; it lists the model's text pieces")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw VocabularyError(file: path, line: nil, reason: "is not UTF-8 text")
    }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    if lines.last == "" { lines.removeLast() }
    guard lines.count == classes - 1 else {
      throw VocabularyError(
        file: path, line: nil,
        reason: "has \(lines.count) pieces, expected \(classes - 1): one for each class of the "
          + "CTC head but the blank")
    }
    var pieces: [String] = []
    var logProbs: [Float?] = []
    for (index, line) in lines.enumerated() {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      let logProb = fields.count == 2 ? Float(fields[1]) : nil
      guard fields.count <= 2, !fields[0].isEmpty,
        fields.count == 1 || logProb?.isFinite == true
      else {
        throw VocabularyError(
          file: path, line: index + 1,
          reason: "expected a piece, optionally a tab and a number, found '\(line)'")
      }
      pieces.append(String(fields[0]))
      logProbs.append(logProb)
    }
    self.init(pieces: pieces, logProbs: logProbs, blank: blank, file: path)
  }

  /// Whether class `id` starts a word.
  public func startsWord(_ id: Int) -> Bool { starts[id] }

  /// The text of class `id`, without the mark of a word's start.
  public func piece(_ id: Int) -> String { pieces[id] }

  /// The text of class `id` with the mark of a word's start, as SentencePiece writes it.
  public func markedPiece(_ id: Int) -> String {
    starts[id] ? String(Self.wordStart) + pieces[id] : pieces[id]
  }

  /// Whether class `id` is never text: the blank, or a symbol such as `<unk>`.
  public func isControl(_ id: Int) -> Bool {
    id == blank || TokenSegmenter.isControl(pieces[id])
  }

  /// The log-probability that the tokenizer gives class `id`, in nats, if it is known.
  public func logProb(_ id: Int) -> Float? { logProbs[id] }

  /// Tokens as text: pieces joined, a space before each word but the first. A lone mark of a
  /// word's start adds nothing before a piece follows it.
  public func text(_ ids: some Sequence<Int>) -> String {
    var text = ""
    var startsWord = false
    for id in ids {
      startsWord = startsWord || starts[id]
      if pieces[id].isEmpty { continue }
      if startsWord, !text.isEmpty { text += " " }
      text += pieces[id]
      startsWord = false
    }
    return text
  }
}
