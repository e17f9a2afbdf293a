/// The value of an HTTP or MIME header with its parameters: `form-data; name="file"`.
struct HeaderValue {
  var value: String
  /// By their names in lower case; of a name that is there twice, the first counts.
  var parameters: [String: String] = [:]

  init(_ text: String) {
    var rest = Substring(text).unicodeScalars
    value = Self.trimmed(Self.take(&rest, upTo: [";"]))
    while !rest.isEmpty {
      rest.removeFirst()
      let name = Self.trimmed(Self.take(&rest, upTo: ["=", ";"])).lowercased()
      guard rest.first == "=" else { continue }
      rest.removeFirst()
      while rest.first == " " { rest.removeFirst() }
      let isQuoted = rest.first == "\""
      let value = isQuoted ? Self.quoted(&rest) : Self.trimmed(Self.take(&rest, upTo: [";"]))
      if isQuoted { _ = Self.take(&rest, upTo: [";"]) }
      if parameters[name] == nil { parameters[name] = value }
    }
  }

  private typealias Scalars = Substring.UnicodeScalarView

  private static func take(_ rest: inout Scalars, upTo ends: [Unicode.Scalar]) -> Scalars {
    let end = rest.firstIndex { ends.contains($0) } ?? rest.endIndex
    defer { rest = rest[end...] }
    return rest[..<end]
  }

  /// A backslash stands for itself unless a quote or another follows: browsers send paths.
  private static func quoted(_ rest: inout Scalars) -> String {
    rest.removeFirst()
    var text = String.UnicodeScalarView()
    while let scalar = rest.popFirst(), scalar != "\"" {
      let next = rest.first
      if scalar == "\\", let next, next == "\"" || next == "\\" {
        rest.removeFirst()
        text.append(next)
      } else {
        text.append(scalar)
      }
    }
    return String(text)
  }

  private static func trimmed(_ scalars: Scalars) -> String {
    var scalars = scalars
    while let first = scalars.first, first == " " || first == "\t" { scalars.removeFirst() }
    while let last = scalars.last, last == " " || last == "\t" { scalars.removeLast() }
    return String(scalars)
  }
}

extension MultipartReader.Part {
  /// Reads the headers of a part, without the empty line behind them.
  init(headers: ArraySlice<UInt8>) throws(WireError) {
    guard let text = String(validating: headers, as: UTF8.self) else {
      throw WireError(.malformed, "headers of a part that are not UTF-8")
    }
    var disposition: HeaderValue?
    var contentType: String?
    for line in text.split(separator: "\r\n", omittingEmptySubsequences: false) {
      guard let colon = line.firstIndex(of: ":") else {
        throw WireError(.malformed, "a line without a colon among the headers of a part")
      }
      let value = line[line.index(after: colon)...]
      switch line[..<colon].lowercased() {
      case "content-disposition": disposition = HeaderValue(String(value))
      case "content-type": contentType = HeaderValue(String(value)).value
      case "content-transfer-encoding":
        let encoding = HeaderValue(String(value)).value.lowercased()
        guard ["binary", "8bit", "7bit"].contains(encoding) else {
          throw WireError(.unsupported, "a part with a transfer encoding, expected plain bytes")
        }
      default: break
      }
    }
    guard disposition?.value.lowercased() == "form-data",
      let name = disposition?.parameters["name"]
    else {
      throw WireError(.malformed, "a part without 'Content-Disposition: form-data; name=…'")
    }
    self.name = name
    fileName = disposition?.parameters["filename"]
    self.contentType = contentType
  }
}
