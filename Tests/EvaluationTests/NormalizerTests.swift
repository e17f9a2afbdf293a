import Evaluation
import Testing

@Suite struct NormalizerTests {
  @Test(arguments: [
    (TextNormalizer.none, " A, b\u{3000}c\n", "A,|b|c"),
    (.basic, "Hello, World! [noise] (aside) — it's 5%", "hello|world|it|s|5"),
    (.basic, "ﬁne Ärger naïve नमस्ते (open", "fine|ärger|naïve|नमस्ते|open"),
    (.wenet, "<unk>你好，world how's <noise> it", "你|好|WORLD|HOW'S|IT"),
    (.wenet, "今天 weather,很好!", "今|天|WEATHER,|很|好"),
    (.characters, "今日は、Ｓwift 5。", "今|日|は|s|w|i|f|t|5"),
    (
      .english, "I can't; we won't. He's been, she'd gone!",
      "i|can|not|we|will|not|he|has|been|she|had|gone"
    ),
    (.english, "Let's go, it 's Dr. O’Brien (laughs)", "let|us|go|it|is|doctor|obrien"),
    (.english, "uh, the Colour of my neighbours' theatres", "the|color|of|my|neighbors|theaters"),
    (.english, "they'd realised we'll analyse café", "they|would|realized|we|will|analyze|cafe"),
    (.english, "Hmm. Well... um 3.5 apples", "well|3.5|apples"),
  ])
  func tokens(_ normalizer: TextNormalizer, _ text: String, _ expected: String) {
    #expect(normalizer.tokens(text).joined(separator: "|") == expected)
  }

  /// Both ways of writing meet.
  @Test(arguments: [
    ("twenty-five", "25"), ("one hundred and three", "103"), ("two thousand six", "2006"),
    ("nineteen eighty four", "1984"), ("twenty first", "21st"), ("the third", "the 3rd"),
    ("one two three", "123"), ("seven oh seven", "707"), ("double five one", "551"),
    ("two point five", "2.5"), ("ten percent", "10%"), ("ten per cent", "10%"),
    ("five dollars", "$5"), ("five dollars and ten cents", "$5.10"), ("2.5 million", "2500000"),
    ("1,234", "1234"), ("forty thousandth", "40000th"), ("a hundred", "100"), ("zero", "0"),
    ("three million two hundred", "3,000,200"), ("colourise", "colorize"),
    ("organisations", "organizations"), ("travelling", "traveling"), ("OK", "okay"),
    ("centre", "center"), ("catalogued", "cataloged"), ("cataloguing", "cataloging"),
    ("dunno", "don't know"), ("the nineteen nineties", "the 1990s"), ("nineties", "90s"),
    ("dishonourable", "dishonorable"), ("e-mail", "e mail"),
  ])
  func englishSpellingsMeet(_ first: String, _ second: String) {
    let normalizer = TextNormalizer.english
    #expect(normalizer.tokens(first) == normalizer.tokens(second))
  }

  /// Different words stay different.
  @Test(arguments: [
    ("promise", "premise"), ("hour", "our"), ("sour", "sore"), ("travel", "travels"),
    ("fifteen", "fifty"), ("twenty one", "twenty first"), ("dollar", "collar"), ("cents", "sense"),
    ("moulton", "molton"), ("improvise", "improvize"),
  ])
  func otherWordsStayApart(_ first: String, _ second: String) {
    let normalizer = TextNormalizer.english
    #expect(normalizer.tokens(first) != normalizer.tokens(second))
  }

  /// Normalising what is normalised changes nothing.
  @Test(arguments: TextNormalizer.allCases) func normalisingTwiceIsOnce(
    _ normalizer: TextNormalizer
  ) {
    let text = "Mr. O'Neill's 3rd café, on the 21st, cost $5.50 or 10% of 1,000 colours 你好!"
    let once = normalizer.tokens(text)
    #expect(!once.isEmpty)
    #expect(normalizer.tokens(once.joined(separator: " ")) == once)
  }
}
