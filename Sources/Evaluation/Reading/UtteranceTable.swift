import Wire

/// Utterances in formats with named values.
enum UtteranceTable {
  static func delimited(
    _ file: TextFile, _ format: UtteranceFormat, _ columns: UtteranceColumns
  ) throws(EvaluationError) -> [Utterance] {
    let isTabbed = format == .tsv
    let table = try DelimitedText(
      file, separator: UInt8(ascii: isTabbed ? "\t" : ","), isQuoted: !isTabbed)
    let places = Dictionary(
      zip(table.header, 0...), uniquingKeysWith: { first, _ in first })
    for group in columns.groups where places[group] == nil {
      throw EvaluationError(
        file.name, line: 1,
        "no column '\(group)' to group by; found \(table.header.joined(separator: ", "))")
    }
    var utterances: [Utterance] = []
    for row in table.rows {
      utterances.append(
        try columns.utterance(file: file.name, line: row.line, available: table.header) { name in
          places[name].map { row.values[$0] }
        })
    }
    return utterances
  }

  static func jsonLines(
    _ file: TextFile, _ columns: UtteranceColumns
  ) throws(EvaluationError) -> [Utterance] {
    var utterances: [Utterance] = []
    for (number, line) in file.lines where !line.allSatisfy(\.isWhitespace) {
      let value: JSONValue
      do {
        value = try JSONValue(parsing: Array(line.utf8))
      } catch {
        throw EvaluationError(file.name, line: number, error.message)
      }
      guard case .object(let members) = value else {
        throw EvaluationError(file.name, line: number, "expected a JSON object a line")
      }
      utterances.append(try utterance(members, columns, file.name, line: number))
    }
    return utterances
  }

  /// Lines of json count its entries, for what a value was read from is not kept.
  static func json(
    _ file: TextFile, _ columns: UtteranceColumns
  ) throws(EvaluationError) -> [Utterance] {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: Array(file.text.utf8))
    } catch {
      throw EvaluationError(file.name, error.message)
    }
    var utterances: [Utterance] = []
    switch value {
    case .array(let entries):
      for (index, entry) in entries.enumerated() {
        guard case .object(let members) = entry else {
          throw EvaluationError(file.name, "entry \(index + 1): expected an object")
        }
        utterances.append(try utterance(members, columns, file.name, entry: index + 1))
      }
    case .object(let members) where columns.textNames.contains { members[$0] != nil }:
      utterances = [try utterance(members, columns, file.name, entry: 1)]
    case .object(let members):
      for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
        guard case .string(let text) = member.value else {
          throw EvaluationError(
            file.name, "'\(member.key)': expected a text; an object of id and text, or a list")
        }
        utterances.append(Utterance(id: member.key, text: text, line: index + 1))
      }
    default: throw EvaluationError(file.name, "expected a list or an object")
    }
    return utterances
  }

  private static func utterance(
    _ members: [String: JSONValue], _ columns: UtteranceColumns, _ file: String,
    line: Int? = nil, entry: Int = 0
  ) throws(EvaluationError) -> Utterance {
    do {
      return try columns.utterance(
        file: file, line: line ?? entry, available: members.keys.sorted()
      ) { name in
        switch members[name] {
        case .string(let text): text
        case .number(let number): Int(exactly: number).map(String.init) ?? "\(number)"
        case .bool(let value): "\(value)"
        default: nil
        }
      }
    } catch {
      throw line != nil ? error : EvaluationError(file, "entry \(entry): \(error.reason)")
    }
  }
}
