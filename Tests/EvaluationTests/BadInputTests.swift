import Evaluation
import Testing

@Suite struct BadInputTests {
  private let files = Files()

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let bytes: [UInt8]
    /// nil where the fault is the whole file's.
    let line: Int?
    /// What the message must say.
    let says: String

    var testDescription: String { "\(name): \(says)" }

    init(_ name: String, _ text: String, line: Int?, _ says: String) {
      self.init(name, Array(text.utf8), line: line, says)
    }

    init(_ name: String, _ bytes: [UInt8], line: Int?, _ says: String) {
      (self.name, self.bytes, self.line, self.says) = (name, bytes, line, says)
    }
  }

  static let cases: [Case] = [
    Case("text", "a one\nb two\na three\n", line: 3, "'a' is there already, in line 1"),
    Case("x.trn", "one (a)\ntwo (a)\n", line: 2, "'a' is there already"),
    Case("x.json", #"[{"id":"a","text":""},{"id":"a","text":""}]"#, line: nil, "in entry 1"),
    Case("x.txt", [0x61, 10, 0x62, 0xE9, 10], line: 2, "iconv -f LATIN1"),
    Case("x.txt", [0xFF, 0xFE, 0x61, 0], line: 1, "UTF-16"),
    Case("x.txt", [0x61, 10, 10, 0x7F, 0x45, 0, 1], line: 3, "zero byte"),
    Case("x.txt", [UInt8](repeating: 0x61, count: 33 << 20), line: 1, "at most 32 MiB"),
    Case("x.trn", "one (a)\n\ntwo\n", line: 3, "no (id) at the end"),
    Case("x.trn", "one ( )\n", line: 1, "id is empty"),
    Case(
      "x.stm", "f 1 s 0 2 one\nf 1 s 3 2.5 two\n", line: 2, "ends at 2.5, before its start at 3"),
    Case("x.stm", "f 1 s zero 2 one\n", line: 1, "start is 'zero', expected a number of seconds"),
    Case("x.stm", "f 1 s 0\n", line: 1, "found 4 fields"),
    Case("x.ctm", ";; c\nf 1 -0.5 1 one\n", line: 2, "start is '-0.5'"),
    Case("x.ctm", "f 1 0 nan one\n", line: 1, "duration is 'nan'"),
    Case("x.ctm", "f 1 0 1\n", line: 1, "found 4 fields"),
    Case(
      "x.csv", "id,text\na,one\nb,two,three\n", line: 3,
      "expected 2 values as in the first line, found 3"),
    Case("x.csv", "id,text\na,\"one\n", line: 2, "never ends"),
    Case("x.csv", "name,words\na,one\n", line: 2, "--text-column"),
    Case("x.csv", "text\none\n", line: 2, "--id-column"),
    Case("x.csv", "", line: nil, "names of the columns"),
    Case("x.tsv", "id\ttext\tduration\na\tone\tlong\n", line: 2, "duration is 'long'"),
    Case("x.jsonl", "{\"id\": \"a\", \"text\": \"\"}\n{\"id\": \"b\",\n", line: 2, "not JSON"),
    Case("x.jsonl", "[1]\n", line: 1, "expected a JSON object a line"),
    Case("x.json", "{\"a\": 1}", line: nil, "'a'"),
    Case("x.json", "[{\"text\": \"a\"}]", line: nil, "entry 1: no id"),
    Case("x.json", "[", line: nil, "not JSON"),
  ]

  @Test(arguments: cases) func aClearLine(_ bad: Case) throws {
    let path = try files.write(bad.name, bad.bytes)
    let error = try #require(throws: EvaluationError.self) {
      try UtteranceList(path: path, columns: UtteranceColumns(.reference))
    }
    #expect(error.file == path)
    #expect(error.line == bad.line)
    #expect("\(error)".contains(bad.says), "\(error)")
    #expect("\(error)".hasPrefix(path + (bad.line.map { ":\($0)" } ?? "") + ": "))
  }

  @Test func pairsThatDoNotBelongTogether() throws {
    let cases: [(String, String, String, String, Int?, String)] = [
      ("text", "a one\n", "h.trn", "one (b)\n", 1, "no id of this file is in"),
      ("r.txt", "one\ntwo\n", "h.txt", "one\ntwo\nthree\n", 3, "expected 2 lines as in"),
      ("r.txt", "one\ntwo\n", "h.trn", "one (a)\n", 1, "--ref-format"),
      ("text", "", "h.trn", "one (a)\n", nil, "found none"),
    ]
    for (name, text, otherName, otherText, line, says) in cases {
      let reference = try files.read(name, text)
      let hypothesis = try files.read(otherName, otherText)
      let error = #expect(throws: EvaluationError.self) {
        try UtterancePairing(reference, hypothesis)
      }
      #expect(error?.line == line)
      #expect("\(error!)".contains(says), "\(error!)")
    }
  }

  @Test func whatCannotBeRead() throws {
    #expect(
      throws: EvaluationError("/nowhere/x.txt", "cannot be opened: No such file or directory")
    ) {
      try UtteranceList(path: "/nowhere/x.txt", columns: UtteranceColumns(.reference))
    }
    #expect(throws: EvaluationError.self) {
      try UtteranceList(path: files.folder, columns: UtteranceColumns(.reference))
    }
  }
}
