import Evaluation
import Foundation
import Testing

@Suite struct ReportTests {
  private static func report(
    _ texts: [(String, String?)], speakers: [String?]? = nil
  ) -> EvaluationReport {
    var scorer = Scorer()
    let utterances = texts.enumerated().map { index, pair in
      var reference = Utterance(id: "u\(index)", text: pair.0, line: index + 1)
      reference.speaker = speakers?[index]
      return scorer.score(reference, pair.1)
    }
    let score = SystemScore(name: "hyp", utterances: utterances, tokens: scorer.tokens)
    return EvaluationReport(
      reference: "ref", normalizer: .none, rule: .levenshtein, score: score, rival: nil,
      columns: [],
      bootstrap: BlockBootstrap(speakers: utterances.map(\.reference.speaker), draws: 100))
  }

  @Test func alignmentsInColour() {
    let report = Self.report([("the cat sat", "the hat"), ("one", "one two")])
    let text = TextReport(report, listing: .wrong, isColored: true).text
    #expect(text.contains("ref the \u{1B}[33mcat\u{1B}[0m \u{1B}[31msat\u{1B}[0m \n"))
    #expect(text.contains("hyp the \u{1B}[33mhat\u{1B}[0m \u{1B}[31m***\u{1B}[0m \n"))
    #expect(text.contains("hyp one \u{1B}[36mtwo\u{1B}[0m \n"))
    #expect(!TextReport(report, listing: .wrong).text.contains("\u{1B}"))
  }

  /// Lines are no wider than the terminal, and words above each other, wide ones too.
  @Test func alignmentsFitTheirWidth() {
    let report = Self.report([("一二 three four five six seven", "a three four five six sevens")])
    let text = TextReport(report, confusions: 0, listing: .worst(1), width: 20).text
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("ref ") || $0.hasPrefix("hyp ") }
    #expect(
      rows == [
        "ref 一二 three four ", "hyp A    three four ", "ref five six SEVEN  ",
        "hyp five six SEVENS ",
      ])
  }

  @Test func worstUtterancesComeFirst() {
    let report = Self.report([("a", "b"), ("a b", "x y"), ("a", "a"), ("a", "c")])
    let text = TextReport(report, listing: .worst(2)).text
    let first = text.firstRange(of: "u1: WER 100.00 %")
    let second = text.firstRange(of: "u0: WER 100.00 %")
    #expect(first != nil && second != nil && first!.lowerBound < second!.lowerBound)
    #expect(!text.contains("u3:") && !text.contains("u2:"))
  }

  @Test func oneUtteranceHasNoInterval() throws {
    let report = Self.report([("a b", "a")])
    #expect(TextReport(report).text.contains("no intervals: there is only one utterance"))
    let json = JSONReport(report).text
    #expect(json.contains(#""interval": null"#))
    #expect(try JSONSerialization.jsonObject(with: Data(json.utf8)) is [String: Any])
  }

  @Test func whatIntervalsAreOf() {
    let texts = [(String, String?)](repeating: ("a b", "a"), count: 3)
    #expect(
      TextReport(Self.report(texts)).text.contains("over 3 utterances, 100 draws; no speakers"))
    let text = TextReport(Self.report(texts, speakers: ["x", "y", "y"])).text
    #expect(text.contains("over 2 speakers, 100 draws; so few speakers make them rough"))
    #expect(text.contains("speaker  utterances  words  WER %"))
  }

  /// Fields with commas, quotes and line ends stay whole.
  @Test func csvIsQuoted() throws {
    let files = Files()
    let csv = CSVReport(Self.report([("say \"a,b\"", nil)])).text
    let path = try files.write("x.csv", csv)
    var columns = UtteranceColumns(.reference)
    columns.text = "reference"
    let back = try UtteranceList(path: path, columns: columns)
    #expect(back.utterances.map(\.text) == ["say \"a,b\""])
  }

  @Test func pageIsWholeAndEscaped() {
    var report = Self.report([("</script> & x", "y")], speakers: ["<b>"])
    report.conditions = [("model", "a&b")]
    let audio = ["u0": PageAudio(source: "a b.wav", duration: 2, signalToNoise: 12.4)]
    let page = ReportPage(report, title: "A < B", audio: audio).text
    #expect(page.contains("<title>A &lt; B</title>"))
    #expect(page.contains("<td>a&amp;b</td>") && page.contains("<td>&lt;b></td>") == false)
    // Only the page's own scripts end.
    #expect(page.split(separator: "</script>", omittingEmptySubsequences: false).count == 3)
    #expect(page.contains(#""audio": "a b.wav", "seconds": 2.0, "snr": 12"#))
  }
}
