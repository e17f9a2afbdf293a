/// The utterances of a file.
public struct UtteranceList: Sendable {
  /// A word with its time in a recording, in seconds.
  struct TimedWord: Equatable, Sendable {
    let word: String
    let start: Double
    let end: Double
  }

  /// As the user named it.
  public let file: String
  public let format: UtteranceFormat
  public var utterances: [Utterance]
  /// Whether utterances have names, by which they are paired; otherwise it is by order.
  public private(set) var hasNames: Bool
  /// Words of each recording by their start, in ctm.
  var timedWords: [String: [TimedWord]] = [:]
  /// Stretches that are not to be scored, of each recording, in stm.
  var ignored: [Utterance.Segment] = []

  public init(file: String, format: UtteranceFormat, utterances: [Utterance]) {
    self.file = file
    self.format = format
    self.utterances = utterances
    hasNames = format != .lines && format != .document
  }

  /// Whether it says when things were said.
  var hasTimes: Bool { format == .stm || format == .ctm }

  /// Reads a file, or a folder of .txt files.
  ///
  /// - Parameters:
  ///   - path: "-" for standard input.
  ///   - format: nil for what the name says.
  /// - Throws: for what cannot be read, is no text, or is not in the format, with the line.
  public init(
    path: String, format: UtteranceFormat? = nil, columns: UtteranceColumns
  ) throws(EvaluationError) {
    let isFolder = TextFolder.isFolder(path)
    let format = format ?? UtteranceFormat(path: path, isFolder: isFolder)
    self.init(file: path, format: format, utterances: [])
    if isFolder {
      guard format == .document else {
        throw EvaluationError(
          path, "expected a file in the format \(format.rawValue), found a folder")
      }
      utterances = try TextFolder.utterances(path)
      hasNames = true
      return
    }
    let file = try TextFile(path)
    switch format {
    case .document:
      utterances = [Utterance(id: UtteranceColumns.stem(path), text: file.text, line: 1)]
    case .lines: utterances = Self.lines(file)
    case .kaldi: utterances = try Self.kaldi(file)
    case .trn: utterances = try Self.trn(file)
    case .stm: (utterances, ignored) = try TimeMarks.segments(file)
    case .ctm: (utterances, timedWords) = try TimeMarks.words(file)
    case .csv, .tsv: utterances = try UtteranceTable.delimited(file, format, columns)
    case .json: utterances = try UtteranceTable.json(file, columns)
    case .jsonl: utterances = try UtteranceTable.jsonLines(file, columns)
    }
    try refuseDuplicates()
  }

  private func refuseDuplicates() throws(EvaluationError) {
    var lines: [String: Int] = [:]
    lines.reserveCapacity(utterances.count)
    for utterance in utterances {
      if let first = lines.updateValue(utterance.line, forKey: utterance.id) {
        let place = format == .json ? "entry" : "line"
        throw EvaluationError(
          file, line: format == .json ? nil : utterance.line,
          "utterance '\(utterance.id)' is there already, in \(place) \(first); ids must differ")
      }
    }
  }

  // MARK: Formats of one line an utterance

  private static func lines(_ file: TextFile) -> [Utterance] {
    file.lines.map { Utterance(id: String($0.number), text: String($0.text), line: $0.number) }
  }

  private static func kaldi(_ file: TextFile) throws(EvaluationError) -> [Utterance] {
    var utterances: [Utterance] = []
    for (number, line) in file.lines {
      let line = line.drop(while: \.isWhitespace)
      let id = line.prefix { !$0.isWhitespace }
      // A line without an id is an empty one.
      guard !id.isEmpty else { continue }
      utterances.append(
        Utterance(id: String(id), text: String(line[id.endIndex...]), line: number))
    }
    return utterances
  }

  private static func trn(_ file: TextFile) throws(EvaluationError) -> [Utterance] {
    var utterances: [Utterance] = []
    for (number, line) in file.lines {
      let line = line.trimmingSpace
      if line.isEmpty || line.hasPrefix(";;") { continue }
      guard line.hasSuffix(")"), let open = line.lastIndex(of: "(") else {
        throw EvaluationError(
          file.name, line: number, "expected 'word word (id)', found no (id) at the end")
      }
      let id = line[line.index(after: open)...].dropLast().trimmingSpace
      guard !id.isEmpty else {
        throw EvaluationError(file.name, line: number, "the utterance's id is empty")
      }
      var utterance = Utterance(id: String(id), text: String(line[..<open]), line: number)
      // sclite takes what is before the first - or _ for the speaker.
      utterance.speaker = id.firstIndex { $0 == "-" || $0 == "_" }.map { String(id[..<$0]) }
      utterances.append(utterance)
    }
    return utterances
  }
}

extension Substring {
  /// Without white space at both ends.
  var trimmingSpace: Substring {
    var rest = drop(while: \.isWhitespace)
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return rest
  }
}
