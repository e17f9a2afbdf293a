import Decoding
import Testing
import Transcripts

@Suite struct StreamEventTests {
  @Test func partial() {
    let event = StreamEvent(
      kind: .partial, utterance: 3, text: "hello wor", committed: "hello", start: 1.1, end: 1.9,
      words: [Word(word: "hello", start: 1.1, end: 1.5, confidence: 0.5)])
    #expect(
      event.jsonLine == """
        {"type": "partial", "utterance": 3, "text": "hello wor", "committed": "hello", \
        "start": 1.1, "end": 1.9, "words": \
        [{"word": "hello", "start": 1.1, "end": 1.5, "confidence": 0.5}]}

        """)
  }

  @Test func finalWithoutWords() {
    let event = StreamEvent(
      kind: .final, utterance: 0, text: "a\n\"b\"", committed: "a\n\"b\"", start: 0, end: 0.04,
      words: [])
    #expect(
      event.jsonLine == #"{"type": "final", "utterance": 0, "text": "a\n\"b\"", "#
        + #""committed": "a\n\"b\"", "start": 0, "end": 0.04, "words": []}"# + "\n")
  }
}
