/// Which columns of a table, or keys of an object, hold what; nil where the usual names are tried.
public struct UtteranceColumns: Sendable {
  /// Whose text it is, where a file holds both: NeMo writes the recognised text beside the
  /// reference as `pred_text`.
  public enum Side: Sendable {
    case reference, hypothesis
  }

  public var id: String?
  public var text: String?
  public var speaker: String?
  /// Columns to keep for grouping.
  public var groups: [String] = []
  public var side: Side

  public init(_ side: Side) { self.side = side }

  static let ids = ["id", "utt", "utt_id", "uttid", "utterance", "utterance_id", "key"]
  /// Columns whose value is a path, of which the file's name without extension is the id.
  static let paths = [
    "audio_filepath", "audio", "audio_path", "path", "file", "filename", "file_name", "wav",
  ]
  static let speakers = ["speaker", "speaker_id", "spk", "spk_id", "client_id"]
  static let durations = ["duration", "seconds"]
  private static let hypotheses = ["pred_text", "hypothesis", "hyp", "prediction", "predicted"]
  private static let references = [
    "reference", "ref", "sentence", "text", "transcript", "transcription",
  ]

  var textNames: [String] {
    if let text { return [text] }
    return side == .reference ? Self.references : Self.hypotheses + Self.references
  }

  var idNames: [String] { id.map { [$0] } ?? Self.ids + Self.paths }
  var speakerNames: [String] { speaker.map { [$0] } ?? Self.speakers }

  /// Builds an utterance of one row.
  ///
  /// - Parameters:
  ///   - value: of a column; nil if there is none.
  ///   - available: names of all columns, for messages.
  func utterance(
    file: String, line: Int, available: [String], _ value: (String) -> String?
  ) throws(EvaluationError) -> Utterance {
    guard let text = textNames.lazy.compactMap(value).first else {
      throw missing("text", textNames, "--text-column", file, line, available)
    }
    guard let idName = idNames.first(where: { value($0) != nil }), let id = value(idName),
      !id.isEmpty
    else { throw missing("id", idNames, "--id-column", file, line, available) }
    let isPath = self.id == nil && Self.paths.contains(idName)
    var utterance = Utterance(id: isPath ? Self.stem(id) : id, text: text, line: line)
    utterance.audio = Self.paths.lazy.compactMap(value).first
    // "-" is how many corpora write that nobody knows.
    utterance.speaker = speakerNames.lazy.compactMap(value).first { $0 != "-" && !$0.isEmpty }
    for name in groups { utterance.groups[name] = value(name) }
    if let seconds = Self.durations.lazy.compactMap(value).first {
      guard let number = Double(seconds), number.isFinite, number >= 0 else {
        throw EvaluationError(
          file, line: line, "duration is '\(seconds)', expected a number of seconds from 0")
      }
      utterance.duration = number
    }
    return utterance
  }

  private func missing(
    _ what: String, _ expected: [String], _ option: String, _ file: String, _ line: Int,
    _ available: [String]
  ) -> EvaluationError {
    EvaluationError(
      file, line: line,
      "no \(what): expected a column \(expected.joined(separator: ", ")); found "
        + "\(available.isEmpty ? "none" : available.joined(separator: ", ")). "
        + "Name the column by \(option)")
  }

  /// The name of a file without folders and extension.
  static func stem(_ path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return String(name) }
    return String(name[..<dot])
  }
}
