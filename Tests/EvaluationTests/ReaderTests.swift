import Evaluation
import Testing

@Suite struct ReaderTests {
  private let files = Files()

  /// The same two utterances in every format with names.
  @Test(arguments: [
    ("text", "a one two\nb three\n"),
    ("1-2.trans.txt", "a one two\r\nb\tthree"),
    ("x.trn", ";; comment\none two (a)\n three ( b )\n"),
    ("x.csv", "id,text\na,one two\nb,\"three\"\n"),
    ("x.tsv", "id\ttext\tmore\na\tone two\t\nb\tthree\t\"\n"),
    ("x.json", #"[{"id": "a", "text": "one two"}, {"id": "b", "text": "three"}]"#),
    ("y.json", #"{"a": "one two", "b": "three"}"#),
    ("x.jsonl", "{\"id\": \"a\", \"text\": \"one two\"}\n\n{\"id\": \"b\", \"text\": \"three\"}\n"),
  ])
  func namedUtterances(_ name: String, _ text: String) throws {
    let list = try files.read(name, text)
    #expect(list.utterances.map(\.id) == ["a", "b"])
    #expect(
      list.utterances.map { TextNormalizer.none.tokens($0.text) } == [["one", "two"], ["three"]])
    #expect(list.hasNames)
  }

  @Test func linesAreNumbered() throws {
    let list = try files.read("x.txt", "\u{FEFF}one\n\nthree\n")
    #expect(list.utterances.map(\.text) == ["one", "", "three"])
    #expect(list.utterances.map(\.line) == [1, 2, 3])
    #expect(!list.hasNames)
  }

  @Test func quotedValues() throws {
    let list = try files.read(
      "x.csv",
      "path,sentence,speaker_id,age\nd/a.wav,\"said \"\"yes\"\",\nthen no\",s1,old\nb.mp3,,-,\n"
    ) { $0.groups = ["age"] }
    #expect(list.utterances.map(\.id) == ["a", "b"])
    #expect(list.utterances.map(\.text) == ["said \"yes\",\nthen no", ""])
    #expect(list.utterances.map(\.speaker) == ["s1", nil])
    #expect(list.utterances.map(\.groups["age"]) == ["old", ""])
    #expect(list.utterances.map(\.line) == [2, 4])
    #expect(list.utterances.map(\.audio) == ["d/a.wav", "b.mp3"])
  }

  /// NeMo writes the recognised text beside the reference.
  @Test func aManifestHasBothSides() throws {
    let text =
      #"{"audio_filepath": "/x/a.flac", "duration": 2.5, "text": "one", "pred_text": "two"}"#
    let reference = try files.read("m.json", text).utterances
    let hypothesis = try files.read("m.jsonl", text, side: .hypothesis).utterances
    #expect(reference.map(\.text) == ["one"])
    #expect(hypothesis.map(\.text) == ["two"])
    #expect(hypothesis.map(\.id) == ["a"])
    #expect(hypothesis.map(\.duration) == [2.5])
  }

  @Test func aFolderOfTexts() throws {
    let path = try files.write("d/b/two.txt", "three")
    _ = try files.write("d/a.txt", "one\ntwo")
    _ = try files.write("d/a.wav", "RIFF")
    let list = try UtteranceList(
      path: String(path.dropLast("/b/two.txt".count)), columns: UtteranceColumns(.reference))
    #expect(list.utterances.map(\.id) == ["a", "b/two"])
    #expect(list.utterances.map(\.text) == ["one\ntwo", "three"])
  }

  /// Words go to the segment that ends after their middle; those in ignored time nowhere.
  @Test func segmentsTakeTimedWords() throws {
    let reference = try files.read(
      "r.stm",
      """
      ;; comment
      f 1 anna 0.0 2.0 <o,f0,female> one two
      f 1 bob 2.0 4.0 three
      f 1 x 4.0 6.0 IGNORE_TIME_SEGMENT_IN_SCORING
      g A anna 0 1 four
      """)
    let hypothesis = try files.read(
      "h.ctm",
      """
      f 1 1.9 0.4 three 0.9
      f 1 0.1 0.5 one
      f 1 1.5 0.3 two
      f 1 4.5 0.5 noise
      f 1 6.5 0.5 late
      g A 5 1 after
      """)
    let pairing = try UtterancePairing(reference, hypothesis)
    #expect(pairing.pairs.map(\.reference.speaker) == ["anna", "bob", "anna"])
    #expect(pairing.pairs.map(\.hypothesis) == ["one two", "three", "after"])
    #expect(pairing.pairs[0].reference.groups["labels"] == "o,f0,female")
    #expect(pairing.missing.isEmpty)
    // Without times on the other side, a recording is one utterance.
    let whole = try files.read("h.trn", "one two three (f)\nfour (g)\n")
    #expect(
      try UtterancePairing(reference, whole).pairs.map(\.hypothesis) == ["one two three ", "four "])
  }

  @Test func missingAndExtraUtterancesAreSaid() throws {
    let reference = try files.read("text", "a one\nb two\nc three\n")
    let hypothesis = try files.read("h.trn", "two (b)\none (a)\nmore (d)\n")
    let pairing = try UtterancePairing(reference, hypothesis)
    #expect(pairing.pairs.map(\.reference.id) == ["a", "b", "c"])
    #expect(pairing.pairs.map { $0.hypothesis == nil } == [false, false, true])
    #expect(pairing.missing.map(\.id) == ["c"])
    #expect(pairing.extra.map(\.id) == ["d"])
    #expect(pairing.remarks.count == 2)
    #expect(pairing.remarks[0].hasPrefix("1 of 3 utterances are missing from '\(hypothesis.file)'"))
    #expect(throws: EvaluationError.self) {
      try UtterancePairing(reference, hypothesis, isStrict: true)
    }
  }
}
