/// What a client of OpenAI's `POST /v1/audio/transcriptions` asks for, but for the file.
public struct TranscriptionRequest: Equatable, Sendable {
  public enum Format: String, CaseIterable, Sendable {
    case json, text, srt, vtt
    case verboseJSON = "verbose_json"
  }

  public enum Granularity: String, CaseIterable, Sendable {
    case segment, word
  }

  public var model: String
  /// As the client names it: for messages, never to be opened.
  public var fileName: String?
  public var language: String?
  public var prompt: String?
  public var format = Format.json
  public var temperature: Double?
  /// What `verbose_json` lists.
  public var granularities: Set<Granularity> = [.segment]
  /// Whether text is wanted as it comes.
  public var streams = false
  public var wantsLogProbs = false
  /// Phrases to listen for.
  public var keywords: [String] = []

  public init(model: String) {
    self.model = model
  }

  /// Reads the fields of a form, the file left out. Those that it does not know are ignored, as
  /// clients send settings of other servers.
  public init(fields: [(name: String, value: String)]) throws(WireError) {
    let form = FormFields(fields)
    model = try form.one("model") ?? ""
    guard !model.isEmpty else {
      throw WireError(.missingField, "'model' is missing", field: "model")
    }
    language = try form.one("language")
    prompt = try form.one("prompt")
    format = try form.choice("response_format", of: Format.self).first ?? .json
    temperature = try form.number("temperature", in: 0...1)
    let granularities = try form.choice("timestamp_granularities", of: Granularity.self)
    if !granularities.isEmpty { self.granularities = Set(granularities) }
    streams = try form.flag("stream")
    wantsLogProbs = try !form.choice("include", of: Include.self).isEmpty
    keywords = form.all("keywords")
    try check(namesGranularities: !granularities.isEmpty)
  }

  private enum Include: String, CaseIterable {
    case logprobs
  }

  private func check(namesGranularities: Bool) throws(WireError) {
    if namesGranularities, format != .verboseJSON {
      throw WireError(
        .invalidValue,
        "'timestamp_granularities' needs 'response_format' verbose_json, found \(format.rawValue)",
        field: "timestamp_granularities")
    }
    if wantsLogProbs, format != .json {
      throw WireError(
        .invalidValue, "'include' needs 'response_format' json, found \(format.rawValue)",
        field: "include")
    }
    if streams, format != .json, format != .text {
      throw WireError(
        .unsupported, "'stream' needs 'response_format' json or text, found \(format.rawValue)",
        field: "stream")
    }
  }
}

/// Fields of a form by name; `name[]` is the same as `name`.
private struct FormFields {
  private let fields: [(name: String, value: String)]

  init(_ fields: [(name: String, value: String)]) {
    self.fields = fields
  }

  func all(_ name: String) -> [String] {
    fields.filter { $0.name == name || $0.name == name + "[]" }.map(\.value)
  }

  func one(_ name: String) throws(WireError) -> String? {
    let values = all(name)
    guard values.count <= 1 else {
      throw WireError(.invalidValue, "'\(name)' is there \(values.count) times", field: name)
    }
    return values.first
  }

  func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, of type: Choice.Type
  ) throws(WireError) -> [Choice] where Choice.RawValue == String {
    var choices: [Choice] = []
    for value in all(name) {
      guard let choice = Choice(rawValue: value) else {
        let known = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        throw WireError(
          .invalidValue,
          "'\(name)' is \(JSONValue.string(value).summary), expected one of: \(known)", field: name)
      }
      choices.append(choice)
    }
    return choices
  }

  func number(_ name: String, in range: ClosedRange<Double>) throws(WireError) -> Double? {
    guard let text = try one(name), !text.isEmpty else { return nil }
    guard let number = Double(text), range.contains(number) else {
      throw WireError(
        .invalidValue,
        "'\(name)' is \(JSONValue.string(text).summary), expected \(range.lowerBound) to "
          + "\(range.upperBound)", field: name)
    }
    return number
  }

  func flag(_ name: String) throws(WireError) -> Bool {
    switch try one(name)?.lowercased() {
    case nil, "", "false", "0": return false
    case "true", "1": return true
    default: throw WireError(.invalidValue, "'\(name)' must be true or false", field: name)
    }
  }
}
