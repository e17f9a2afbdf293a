/// NIST's formats with times.
enum TimeMarks {
  typealias TimedWord = UtteranceList.TimedWord

  /// What stm writes in the place of text that is not to be scored.
  private static let ignoredText = "IGNORE_TIME_SEGMENT_IN_SCORING"

  static func segments(
    _ file: TextFile
  ) throws(EvaluationError) -> (scored: [Utterance], ignored: [Utterance.Segment]) {
    var utterances: [Utterance] = []
    var ignored: [Utterance.Segment] = []
    for (number, line) in file.lines {
      if line.hasPrefix(";;") || line.allSatisfy(\.isWhitespace) { continue }
      let fields = line.split(maxSplits: 5, whereSeparator: \.isWhitespace)
      guard fields.count >= 5 else {
        throw EvaluationError(
          file.name, line: number,
          "expected 'file channel speaker start end text', found \(fields.count) fields")
      }
      let start = try seconds(fields[3], "start", file, number)
      let end = try seconds(fields[4], "end", file, number)
      guard end >= start else {
        throw EvaluationError(
          file.name, line: number,
          "the segment ends at \(fields[4]), before its start at \(fields[3])")
      }
      var text = fields.count > 5 ? fields[5].trimmingSpace : ""
      var labels: Substring?
      if text.hasPrefix("<"), let close = text.firstIndex(of: ">") {
        labels = text[text.index(after: text.startIndex)..<close]
        text = text[text.index(after: close)...].trimmingSpace
      }
      let segment = Utterance.Segment(
        recording: "\(fields[0]) \(fields[1])", start: start, end: end)
      guard text.lowercased() != ignoredText.lowercased() else {
        ignored.append(segment)
        continue
      }
      var utterance = Utterance(
        id: "\(fields[0])-\(fields[1])-\(fields[3])-\(fields[4])", text: String(text),
        line: number)
      utterance.speaker = String(fields[2])
      utterance.segment = segment
      utterance.duration = end - start
      if let labels { utterance.groups["labels"] = String(labels) }
      utterances.append(utterance)
    }
    return (utterances, ignored)
  }

  static func words(
    _ file: TextFile
  ) throws(EvaluationError) -> ([Utterance], [String: [TimedWord]]) {
    var words: [String: [TimedWord]] = [:]
    var lines: [String: Int] = [:]
    for (number, line) in file.lines {
      if line.hasPrefix(";;") || line.allSatisfy(\.isWhitespace) { continue }
      let fields = line.split(whereSeparator: \.isWhitespace)
      guard fields.count >= 5 else {
        throw EvaluationError(
          file.name, line: number,
          "expected 'file channel start duration word', found \(fields.count) fields")
      }
      let start = try seconds(fields[2], "start", file, number)
      let duration = try seconds(fields[3], "duration", file, number)
      let recording = "\(fields[0]) \(fields[1])"
      lines[recording] = lines[recording] ?? number
      words[recording, default: []].append(
        TimedWord(word: String(fields[4]), start: start, end: start + duration))
    }
    for recording in words.keys { words[recording]!.sort { $0.start < $1.start } }
    let utterances = words.keys.sorted().map { recording in
      Utterance(
        id: recording, text: words[recording]!.map(\.word).joined(separator: " "),
        line: lines[recording]!)
    }
    return (utterances, words)
  }

  private static func seconds(
    _ field: Substring, _ name: String, _ file: TextFile, _ line: Int
  ) throws(EvaluationError) -> Double {
    guard let seconds = Double(field), seconds.isFinite, seconds >= 0 else {
      throw EvaluationError(
        file.name, line: line, "\(name) is '\(field)', expected a number of seconds from 0")
    }
    return seconds
  }
}
