import Transcripts

/// The alignments of a page, as the JSON that its script reads.
struct PageAlignments {
  private let report: EvaluationReport
  private let audio: [String: PageAudio]

  init(_ report: EvaluationReport, _ audio: [String: PageAudio]) {
    self.report = report
    self.audio = audio
  }

  /// Where the script puts them.
  static let section = """
    <section id="alignments"><h2>Alignments</h2>
    <form role="search" onsubmit="return false">
    <label>Search <input type="search" id="search" placeholder="a word, an id, a speaker"></label>
    <label>Order <select id="order"><option value="file">as in the file</option>\
    <option value="errors">most errors</option><option value="rate">highest rate</option>\
    <option value="length">longest</option></select></label>
    <label><input type="checkbox" id="wrong" checked> with errors only</label>
    </form>
    <p id="found" role="status"></p>
    <div id="list"></div>
    <button type="button" id="more">Show more</button></section>
    """

  /// `<` is written as an escape, so that no text can end the element that holds this.
  var json: String {
    let entries = report.score.utterances.map { entry($0) }
    return JSONText.array(entries).compact.replacing("<", with: "\\u003c")
  }

  private func entry(_ utterance: ScoredUtterance) -> JSONText {
    let reference = utterance.reference
    var members: [(String, JSONText)] = [
      ("id", .string(reference.id)), ("errors", .number("\(utterance.words.errors)")),
      ("words", .number("\(utterance.words.referenceLength)")),
      ("steps", .array(utterance.steps(report.score.tokens).map(Self.step))),
    ]
    if let speaker = reference.speaker { members.append(("speaker", .string(speaker))) }
    if utterance.hypothesis == nil { members.append(("missing", .bool(true))) }
    let found = audio[reference.id]
    if let source = found?.source { members.append(("audio", .string(source))) }
    if let seconds = reference.duration ?? found?.duration {
      members.append(("seconds", .number(Figures.fixed(seconds, 1))))
    }
    if let decibels = found?.signalToNoise {
      members.append(("snr", .number(Figures.fixed(decibels, 0))))
    }
    return .object(members)
  }

  /// A word that is right as itself; otherwise a letter and the words.
  private static func step(_ step: AlignedStep) -> JSONText {
    let (reference, hypothesis) = (
      JSONText.string(step.reference ?? ""), JSONText.string(step.hypothesis ?? "")
    )
    return switch step.operation {
    case .match: reference
    case .substitution: .array([.string("s"), reference, hypothesis])
    case .deletion: .array([.string("d"), reference])
    case .insertion: .array([.string("i"), hypothesis])
    }
  }
}
