import Foundation
import TestSupport
import Testing

@Suite struct WerCommandTests {
  private let folder = TemporaryFolder()

  private func wer(_ arguments: String..., input: String? = nil) throws -> Starling.Result {
    try Starling.run(
      ["wer"] + arguments, input: input.map { Array($0.utf8) }, directory: folder.path)
  }

  private func json(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  private func write(_ name: String, _ text: String) throws { try folder.write(name, text.utf8) }

  @Test func ratesAndCountsAsJSON() throws {
    try write("ref.trn", "the cat sat (anna-1)\nthe cat (bob-1)\n")
    try write("hyp.trn", "the hat sat on (anna-1)\nthe cat (bob-1)\n")
    let run = try wer("ref.trn", "hyp.trn", "--format", "json", "--alignments", "all")
    #expect(run.status == 0)
    #expect(run.errors == "")
    let report = try json(run.output)
    #expect(report["wer"] as? Double == 0.4)
    #expect(abs(try #require(report["cer"] as? Double) - 4.0 / 18) < 1e-12)
    #expect(report["ser"] as? Double == 0.5)
    let words = try #require(report["words"] as? [String: Int])
    #expect(
      words == [
        "reference": 5, "hypothesis": 6, "hits": 4, "substitutions": 1, "deletions": 0,
        "insertions": 1,
      ])
    let interval = try #require(report["interval"] as? [String: Any])
    // Of two speakers one may be drawn twice.
    #expect(interval["wer"] as? [Double] == [0, 2.0 / 3])
    #expect(interval["unit"] as? String == "speaker")
    let speakers = try #require(
      (report["groups"] as? [String: Any])?["speaker"] as? [[String: Any]])
    #expect(speakers.map { $0["name"] as? String } == ["anna", "bob"])
    let utterances = try #require(report["utterances"] as? [[String: Any]])
    #expect((utterances[0]["steps"] as? [[Any]])?.count == 4)
  }

  @Test func textWithAlignmentsAndRemarks() throws {
    try write("text", "a one two\nb three\nc four\n")
    try write(
      "hyp.jsonl", #"{"id": "a", "text": "one too"}"# + "\n" + #"{"id": "c", "text": "four"}"#)
    let run = try wer("text", "hyp.jsonl", "--alignments", "1")
    #expect(run.status == 0)
    #expect(
      run.lines.prefix(3) == [
        "a: WER 50.00 % (1 sub, 0 del, 0 ins)", "ref one TWO ", "hyp one TOO ",
      ])
    #expect(run.output.contains("2 errors in 4 words"))
    #expect(run.output.contains("substituted: two > too (1)"))
    #expect(run.output.contains("note: 1 of 3 utterances are missing from 'hyp.jsonl'"))
    // A pipe sees no colours.
    #expect(!run.output.contains("\u{1B}"))
  }

  @Test func aSecondSystem() throws {
    try write("r.txt", (0..<30).map { "one two three \($0)\n" }.joined())
    try write("a.txt", (0..<30).map { "one \($0 % 2 == 0 ? "two" : "x") three \($0)\n" }.joined())
    try write("b.txt", (0..<30).map { "one two three \($0)\n" }.joined())
    let run = try wer("r.txt", "a.txt", "--against", "b.txt", "--format", "json")
    let against = try #require(try json(run.output)["against"] as? [String: Any])
    #expect(against["wer"] as? Double == 0)
    #expect(against["difference"] as? Double == -15.0 / 120)
    #expect(against["probability_of_improvement"] as? Double == 1)
    #expect((against["matched_pairs"] as? [String: Double])?["segments"] == 15)
  }

  @Test func csvHasARowForEachUtterance() throws {
    try write("r.csv", "id,text,accent\n1,\"one, two\",north\n2,three,south\n")
    try write("h.csv", "id,text\n1,one two\n2,three\n")
    let run = try wer(
      "r.csv", "h.csv", "--format", "csv", "--group", "accent", "--normalizer", "basic")
    #expect(
      run.output.replacing("\r\n", with: "\n") == """
        id,speaker,accent,words,hits,substitutions,deletions,insertions,wer,cer,missing,reference,hypothesis
        1,,north,2,2,0,0,0,0.0,0.0,0,one two,one two
        2,,south,1,1,0,0,0,0.0,0.0,0,three,three

        """)
  }

  @Test func standardInput() throws {
    try write("r.txt", "one two\n")
    let run = try wer("r.txt", "-", "--format", "json", input: "one\n")
    #expect(try json(run.output)["wer"] as? Double == 0.5)
  }

  /// What is wrong with the texts, where, and exit code 2.
  @Test(arguments: [
    ("r.trn", "one (a)\n", "h.trn", "one (b)\n", "r.trn:1: no id of this file is in 'h.trn'"),
    (
      "r.trn", "one (a)\n", "h.trn", "one (a)\n\none (a)\n",
      "h.trn:3: utterance 'a' is there already"
    ),
    ("r.txt", "one\n", "h.txt", "one\ntwo\n", "h.txt:2: expected 1 lines"),
    ("r.stm", "f 1 s 5 4 one\n", "h.ctm", "f 1 0 1 one\n", "r.stm:1: the segment ends at 4"),
    ("r.stm", "f 1 s 0 4 one\n", "h.ctm", "f 1 0 x one\n", "h.ctm:1: duration is 'x'"),
    ("r.txt", "one\n", "h.txt", "one\0\n", "h.txt:1: expected text, found a zero byte"),
  ])
  func badInput(
    _ refName: String, _ ref: String, _ hypName: String, _ hyp: String, _ says: String
  ) throws {
    try write(refName, ref)
    try write(hypName, hyp)
    let run = try wer(refName, hypName)
    #expect(run.status == 2)
    #expect(run.output == "")
    #expect(run.errors.hasPrefix("starling: " + says), "\(run.errors)")
    #expect(run.errors.split(separator: "\n").count == 1)
  }

  @Test func filesThatAreNotThere() throws {
    let run = try wer("nowhere.txt", "nor.txt")
    #expect(run.status == 2)
    #expect(run.errors == "starling: nowhere.txt: cannot be opened: No such file or directory\n")
    #expect(try wer("nowhere.txt").status != 0)
  }

  /// `--audio` transcribes as `starling transcribe` does, and the page can play it.
  @Test func audioIsTranscribedAndScored() throws {
    let text = try Sample.text(Sample.book)
    try folder.copy("book-22khz.flac", to: "audio/in/book.flac")
    try write(
      "ref.csv", "path,sentence,speaker\nin/book.flac,\(text) indeed,anna\nin/none.wav,gone,bob\n")
    let run = try wer(
      "ref.csv", "--audio", "audio", "--format", "json", "--report", "out/page.html",
      "--condition", "model=shipped", "--embed-audio", "0")
    #expect(run.status == 0)
    let words = try #require(try json(run.output)["words"] as? [String: Int])
    #expect(words["deletions"] == 2)
    #expect(words["substitutions"] == 0)
    #expect(run.errors.contains("1 of 2 utterances are missing from 'audio'"))
    let page = try folder.text("out/page.html")
    #expect(page.contains(#""audio": "../audio/in/book.flac""#))
    #expect(page.contains("<td>model</td><td>shipped</td>"))
    #expect(page.contains("SNR") && page.hasPrefix("<!DOCTYPE html>"))
    // Nothing is fetched from anywhere.
    #expect(!page.contains("http://") && !page.contains("https://"))
    let embedded = try wer("ref.csv", "audio-text.trn", "--audio", "audio")
    #expect(embedded.status == 2)
  }

  @Test func textCannotEndThePagesScript() throws {
    try write("r.txt", "</script><b>one & two\n")
    let run = try wer("r.txt", "r.txt", "--format", "html")
    #expect(run.output.contains("\\u003c/script>"))
    #expect(!run.output.contains("<b>one"))
  }
}
