/// Rows of comma- or tab-separated values, with the number of the line where each begins, which no
/// CSV library at hand tells.
struct DelimitedText {
  let header: [String]
  private(set) var rows: [(line: Int, values: [String])] = []

  /// - Parameter isQuoted: whether values may stand in double quotes (RFC 4180). Tab-separated
  ///   corpora (Common Voice, LibriTTS) have quotes as part of the text.
  init(_ file: TextFile, separator: UInt8, isQuoted: Bool) throws(EvaluationError) {
    var rows: [(line: Int, values: [String])] = []
    if isQuoted {
      rows = try Self.quotedRows(file, separator)
    } else {
      for (number, text) in file.lines where !text.isEmpty {
        let values = text.utf8.split(separator: separator, omittingEmptySubsequences: false)
        rows.append((number, values.map { String(Substring($0)) }))
      }
    }
    guard let first = rows.first else {
      throw EvaluationError(
        file.name, "expected a first line with the names of the columns, found nothing")
    }
    header = first.values
    for row in rows.dropFirst() where row.values.count != header.count {
      throw EvaluationError(
        file.name, line: row.line,
        "expected \(header.count) values as in the first line, found \(row.values.count)")
    }
    self.rows = Array(rows.dropFirst())
  }

  private static func quotedRows(
    _ file: TextFile, _ separator: UInt8
  ) throws(EvaluationError) -> [(line: Int, values: [String])] {
    let (quote, newline) = (UInt8(ascii: "\""), UInt8(ascii: "\n"))
    var rows: [(line: Int, values: [String])] = []
    var values: [String] = []
    var value: [UInt8] = []
    var line = 1
    var rowLine = 1
    var openedAt: Int?
    var wasQuoted = false
    func text() -> String { String(decoding: value, as: UTF8.self) }
    let bytes = Array(file.text.utf8)
    var index = 0
    while index <= bytes.count {
      let byte = index < bytes.count ? bytes[index] : newline
      index += 1
      if byte == newline { line += 1 }
      if openedAt != nil {
        guard index <= bytes.count else { break }
        if byte != quote {
          value.append(byte)
        } else if index < bytes.count, bytes[index] == quote {
          value.append(quote)
          index += 1
        } else {
          openedAt = nil
        }
      } else if byte == quote, value.isEmpty, !wasQuoted {
        (openedAt, wasQuoted) = (line, true)
      } else if byte == separator {
        values.append(text())
        (value, wasQuoted) = ([], false)
      } else if byte == newline {
        if value.last == UInt8(ascii: "\r") { value.removeLast() }
        if !values.isEmpty || !value.isEmpty || wasQuoted {
          rows.append((rowLine, values + [text()]))
        }
        (values, value, wasQuoted, rowLine) = ([], [], false, line)
      } else {
        value.append(byte)
      }
    }
    if let openedAt {
      throw EvaluationError(file.name, line: openedAt, "a value begins with \" and never ends")
    }
    return rows
  }
}
