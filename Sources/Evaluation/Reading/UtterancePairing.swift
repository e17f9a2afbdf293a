/// Which hypothesis belongs to which reference.
public struct UtterancePairing: Sendable {
  /// In the order of the references. A hypothesis that is missing is nil, and counts as empty.
  public let pairs: [(reference: Utterance, hypothesis: String?)]
  /// References without a hypothesis.
  public let missing: [Utterance]
  /// Hypotheses without a reference, which are not scored.
  public let extra: [Utterance]
  /// What a reader of the score must know: what was missing or left out.
  public let remarks: [String]

  /// Pairs by name; files whose utterances have none by order; ctm with stm by time.
  ///
  /// - Parameter isStrict: whether anything missing or left over is an error.
  /// - Throws: if nothing belongs together.
  public init(
    _ reference: UtteranceList, _ hypothesis: UtteranceList, isStrict: Bool = false
  ) throws(EvaluationError) {
    var reference = reference
    var hypothesis = hypothesis
    if reference.format == .stm, hypothesis.format == .ctm {
      hypothesis = SegmentAssignment.segments(of: reference, from: hypothesis)
    } else if reference.hasTimes != hypothesis.hasTimes {
      if reference.hasTimes { reference = SegmentAssignment.joined(reference) }
      if hypothesis.hasTimes { hypothesis = SegmentAssignment.joined(hypothesis) }
    }
    guard reference.hasNames, hypothesis.hasNames else {
      pairs = try Self.byOrder(reference, hypothesis)
      (missing, extra, remarks) = ([], [], [])
      return
    }
    let texts = Dictionary(
      hypothesis.utterances.map { ($0.id, $0.text) }, uniquingKeysWith: { first, _ in first })
    let known = Set(reference.utterances.map(\.id))
    pairs = reference.utterances.map { (reference: $0, hypothesis: texts[$0.id]) }
    missing = reference.utterances.filter { texts[$0.id] == nil }
    extra = hypothesis.utterances.filter { !known.contains($0.id) }
    try Self.check(reference, hypothesis, missing, extra, isStrict)
    remarks = Self.remarks(reference, hypothesis, missing, extra)
  }

  private static func byOrder(
    _ reference: UtteranceList, _ hypothesis: UtteranceList
  ) throws(EvaluationError) -> [(reference: Utterance, hypothesis: String?)] {
    let (expected, found) = (reference.utterances, hypothesis.utterances)
    guard expected.count != 1 || found.count != 1 else { return [(expected[0], found[0].text)] }
    guard reference.hasNames == hypothesis.hasNames else {
      let (named, other) = reference.hasNames ? (reference, hypothesis) : (hypothesis, reference)
      throw EvaluationError(
        other.file, line: 1,
        "utterances have no ids here (\(other.format.rawValue)) but in '\(named.file)' "
          + "(\(named.format.rawValue)); say what the files are by --ref-format and --hyp-format")
    }
    guard expected.count == found.count else {
      throw EvaluationError(
        hypothesis.file, line: min(expected.count, found.count) + 1,
        "expected \(expected.count) lines as in '\(reference.file)', found \(found.count); lines "
          + "without ids are paired by their order")
    }
    return zip(expected, found).map { ($0, $1.text) }
  }

  private static func check(
    _ reference: UtteranceList, _ hypothesis: UtteranceList, _ missing: [Utterance],
    _ extra: [Utterance], _ isStrict: Bool
  ) throws(EvaluationError) {
    guard let first = reference.utterances.first else {
      throw EvaluationError(reference.file, "expected utterances, found none")
    }
    if missing.count == reference.utterances.count, let other = hypothesis.utterances.first {
      throw EvaluationError(
        reference.file, line: first.line,
        "no id of this file is in '\(hypothesis.file)': here '\(first.id)', there '\(other.id)' "
          + "(line \(other.line)); ids must be the same on both sides")
    }
    guard isStrict else { return }
    if let first = missing.first {
      throw EvaluationError(
        reference.file, line: first.line,
        "utterance '\(first.id)' is missing from '\(hypothesis.file)'")
    }
    if let first = extra.first {
      throw EvaluationError(
        hypothesis.file, line: first.line, "utterance '\(first.id)' is not in '\(reference.file)'")
    }
  }

  private static func remarks(
    _ reference: UtteranceList, _ hypothesis: UtteranceList, _ missing: [Utterance],
    _ extra: [Utterance]
  ) -> [String] {
    var remarks: [String] = []
    func names(_ utterances: [Utterance]) -> String {
      utterances.prefix(3).map { "'\($0.id)'" }.joined(separator: ", ")
        + (utterances.count > 3 ? ", …" : "")
    }
    if !missing.isEmpty {
      remarks.append(
        "\(missing.count) of \(reference.utterances.count) utterances are missing from "
          + "'\(hypothesis.file)' and count as deletions: \(names(missing))")
    }
    if !extra.isEmpty {
      remarks.append(
        "\(extra.count) utterances of '\(hypothesis.file)' are not in '\(reference.file)' and are "
          + "left out: \(names(extra))")
    }
    return remarks
  }
}
