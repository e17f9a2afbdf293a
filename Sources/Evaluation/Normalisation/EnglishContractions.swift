/// Short forms of English written out.
enum EnglishContractions {
  private static let whole: [String: String] = [
    "won't": "will not", "can't": "can not", "cannot": "can not", "shan't": "shall not",
    "let's": "let us", "ain't": "aint", "y'all": "you all", "wanna": "want to", "gotta": "got to",
    "gonna": "going to", "dunno": "do not know", "i'ma": "i am going to", "imma": "i am going to",
    "woulda": "would have", "coulda": "could have", "shoulda": "should have", "ma'am": "madam",
    "mr": "mister", "mrs": "missus", "st": "saint", "dr": "doctor", "prof": "professor",
    "capt": "captain", "gov": "governor", "gen": "general", "sen": "senator",
    "rep": "representative", "pres": "president", "rev": "reverend", "hon": "honorable",
    "asst": "assistant", "assoc": "associate", "lt": "lieutenant", "col": "colonel",
    "jr": "junior", "sr": "senior", "esq": "esquire",
  ]

  /// Participles before which 's is "has" and 'd "had".
  private static let participles: Set<String> = ["been", "gone", "done", "got"]

  private static let suffixes: [(String, String)] = [
    ("n't", "not"), ("'re", "are"), ("'s", "is"), ("'d", "would"), ("'ll", "will"),
    ("'t", "not"), ("'ve", "have"), ("'m", "am"),
  ]

  /// Whether it is the end of a contraction that was parted from its word.
  static func isSuffix(_ word: some StringProtocol) -> Bool {
    suffixes.contains { $0.0 == word }
  }

  /// - Parameter words: in small letters, with their punctuation.
  static func expand(_ words: [String]) -> [String] {
    words.indices.flatMap { index in
      expand(words[index], next: index + 1 < words.count ? words[index + 1] : "")
    }
  }

  private static func expand(_ word: String, next: String) -> [String] {
    let core = word.trimming { !$0.isLetter && !$0.isNumber && $0 != "'" }.trimming { $0 == "'" }
    if let text = whole[core] { return text.split(separator: " ").map(String.init) }
    for (suffix, text) in suffixes where core.hasSuffix(suffix) && core.count > suffix.count {
      let stem = String(core.dropLast(suffix.count))
      let isPerfect = participles.contains(next.filter(\.isLetter))
      switch suffix {
      case "'s" where isPerfect: return [stem, "has"]
      case "'d" where isPerfect: return [stem, "had"]
      default: return [stem, text]
      }
    }
    return [word]
  }
}

extension String {
  /// Without the characters at both ends for which `condition` holds.
  func trimming(_ condition: (Character) -> Bool) -> String {
    var rest = drop(while: condition)
    while let last = rest.last, condition(last) { rest.removeLast() }
    return String(rest)
  }
}
