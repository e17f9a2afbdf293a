import Transcripts

/// Text as HTML writes it.
enum HTMLText {
  static func escaped(_ text: String) -> String {
    MarkupText.escaped(text, quotes: true)
  }

  /// - Parameter rows: cells in plain text.
  static func table(_ header: [String], _ rows: [[String]], isSortable: Bool = false) -> String {
    let head = header.map { "<th scope=\"col\">\(escaped($0))</th>" }.joined()
    let body = rows.map { row in
      "<tr>" + row.map { "<td>\(escaped($0))</td>" }.joined() + "</tr>\n"
    }.joined()
    return
      "<div class=\"scroll\"><table\(isSortable ? " class=\"sortable\"" : "")><thead><tr>\(head)"
      + "</tr></thead><tbody>\n\(body)</tbody></table></div>\n"
  }
}
