import Decoding
import Foundation
import Testing

@Suite struct ARPAErrorTests {
  private let good = """
    \\data\\
    ngram 1=3
    ngram 2=2

    \\1-grams:
    -1 <s> -0.5
    -0.5 a -0.25
    -0.75 b

    \\2-grams:
    -0.5 a b
    -0.5 <s> a

    \\end\\

    """

  private func message(_ text: String) -> String? {
    do throws(LanguageModelError) {
      _ = try NGramModel(arpa: text)
      return nil
    } catch {
      return error.description
    }
  }

  private func message(_ part: String, becomes other: String) -> String? {
    #expect(good.contains(part))
    return message(good.replacing(part, with: other, maxReplacements: 1))
  }

  @Test func theWholeIsGood() { #expect(message(good) == nil) }

  @Test func sections() {
    let noData = "lm.arpa: has no \\data\\ section; expected an ARPA file"
    #expect(message("") == noData)
    #expect(message("hello\nworld\n") == noData)
    #expect(
      message(String(repeating: "x\n", count: 10_001))
        == "lm.arpa, line 10001: no \\data\\ section up to here; expected an ARPA file")
    #expect(
      message(String(repeating: "x", count: 70_000))
        == "lm.arpa, line 1: is longer than 65536 bytes; is this an ARPA file?")
    #expect(message("\\data\\\nngram 1=3\n") == "lm.arpa: ends before its section \\1-grams:")
    #expect(message("\\data\\\n\\1-grams:\n") == "lm.arpa, line 2: \\data\\ states no counts")
    #expect(
      message("\\1-grams:", becomes: "\\2-grams:")
        == "lm.arpa, line 5: expected the section \\1-grams:, found '\\2-grams:'")
    #expect(
      message("\n\\2-grams:\n-0.5 a b\n-0.5 <s> a", becomes: "")
        == "lm.arpa, line 11: expected the section \\2-grams:, found '\\end\\'")
    #expect(
      message("\\end\\", becomes: "\\3-grams:")
        == "lm.arpa, line 14: expected the section \\end\\, found '\\3-grams:'")
    #expect(
      message("\\end\\\n", becomes: "")
        == "lm.arpa: ends in its section \\2-grams: after 2 of 2 n-grams, without \\end\\; it is "
        + "cut short")
  }

  @Test func counts() {
    #expect(
      message("1=3", becomes: "1=4")
        == "lm.arpa, line 10: section \\1-grams: has 3 n-grams, but \\data\\ states 4")
    #expect(
      message("2=2", becomes: "2=1")
        == "lm.arpa, line 14: section \\2-grams: has 2 n-grams, but \\data\\ states 1")
    #expect(
      message("ngram 2=2", becomes: "ngram 3=2")
        == "lm.arpa, line 3: expected the count of 2-grams, found that of 3-grams")
    #expect(
      message("ngram 2=2", becomes: "ngram 2=-2")
        == "lm.arpa, line 3: expected 'ngram ORDER=COUNT', found 'ngram 2=-2'")
    #expect(
      message("ngram 2=2", becomes: "ngram 2=99999999999")
        == "lm.arpa, line 3: 99999999999 n-grams; at most 2147483647 in all are possible")
    let seven = (1...7).map { "ngram \($0)=1\n" }.joined()
    #expect(
      message("\\data\\\n" + seven) == "lm.arpa, line 8: order 7; at most 6 is possible")
  }

  @Test func lines() {
    #expect(
      message("-0.5 a -0.25", becomes: "nan a -0.25")
        == "lm.arpa, line 7: the log-probability is 'nan', expected a number")
    #expect(
      message("-0.5 a -0.25", becomes: "-0.5 a NaN")
        == "lm.arpa, line 7: the back-off weight is 'NaN', expected a number")
    #expect(
      message("-0.5 a -0.25", becomes: "-0.5 a 1e9")
        == "lm.arpa, line 7: the back-off weight is 1000000000.0, expected a log10 of at most 99")
    #expect(
      message("-0.75 b", becomes: "0.75 b")
        == "lm.arpa, line 8: the log-probability is 0.75, expected a log10 of at most 0")
    #expect(
      message("-0.75 b", becomes: "-0.75")
        == "lm.arpa, line 8: expected a log-probability, 1 word and optionally a back-off weight, "
        + "found '-0.75'")
    #expect(
      message("-0.5 a b", becomes: "-0.5 a b -1 c")
        == "lm.arpa, line 11: expected a log-probability, 2 words and optionally a back-off "
        + "weight, found '-0.5 a b -1 c'")
    #expect(
      message("-0.5 a b", becomes: "-0.5 a c") == "lm.arpa, line 11: 'c' is not among the 1-grams")
    #expect(message("-0.75 b", becomes: "-0.75 a") == "lm.arpa, line 8: '-0.75 a' comes twice")
    #expect(
      message("-0.5 <s> a", becomes: "-0.5 a b") == "lm.arpa, line 12: '-0.5 a b' comes twice")
    #expect(
      message("-0.5 a b", becomes: "\u{1}\u{7}")
        == "lm.arpa, line 11: the log-probability is '\u{FFFD}\u{FFFD}', expected a number")
  }
}
